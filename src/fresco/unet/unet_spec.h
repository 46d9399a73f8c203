#pragma once
// A U-Net as data. Stable Diffusion's, DeciDiffusion's and any that a search finds are values of UNetSpec; one UNet class runs them all.
// Free of libtorch.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fresco/core/json.h"

namespace fresco::unet {

enum class CellKind { resnet, transformer };

/// One cell of a stage; `prefix` is the key prefix of its tensors.
struct CellSpec {
  CellKind kind = CellKind::resnet;
  std::string prefix;
  int64_t in = 0;    // channels of the hidden state before it (without the skip)
  int64_t skip = 0;  // channels of the skip it pops, 0 when it pops none
  int64_t out = 0;
  int64_t heads = 8;         // transformer only
  int64_t depth = 1;         // transformer only: blocks one after the other
  bool pushes_skip = false;  // its output is kept for the way up
  int repeat = 1;            // runs this often with the same weights
  bool pops_skip() const { return skip > 0; }
};

enum class Resample { none, halve, exact_double, to_next_skip };

struct StageSpec {
  std::vector<CellSpec> cells;
  Resample resample = Resample::none;
  std::string resample_prefix;  // of its 3x3 convolution
  bool pushes_resampled = false;
};

struct UNetSpec {
  int64_t in_channels = 4;
  int64_t out_channels = 4;
  int64_t width = 320;  // channels after conv_in, and of the sinusoids of time
  int64_t time_width = 1280;
  int64_t context_width = 768;
  int64_t groups = 32;
  double resnet_eps = 1e-5;
  double norm_out_eps = 1e-5;  // of the norm before conv_out
  bool cosine_first = true;    // order of the sinusoids (flip_sin_to_cos)
  double frequency_shift = 0;
  int64_t sample_size = 64;  // side of the latents it was trained for
  std::vector<StageSpec> stages;
};

/// Reads a diffusers config.json: UNet2DConditionModel, or a flexible U-Net ("configurations"). `has_middle` says whether the checkpoint
/// has tensors named mid_block.*: a flexible U-Net without them has no middle block whatever its config says.
/// Errors: FormatError naming `place` and the key; options that fresco does not run are refused in words (9-channel inpainting,
/// guidance embeddings, ...).
UNetSpec read_spec(const Json& config, std::string_view place, bool has_middle = true);

/// Checks channels and skips of a spec. Errors: FormatError naming `place`.
void check_spec(const UNetSpec& spec, std::string_view place);

/// Whether latents of this side run through the network: every skip meets a hidden state of its size. Sides are independent of each other.
bool side_fits(const UNetSpec& spec, int64_t side);

/// The nearest sides below and above (0 when there is none below) that fit.
std::pair<int64_t, int64_t> nearest_sides(const UNetSpec& spec, int64_t side);

/// A tensor that a checkpoint must have.
struct TensorSpec {
  std::string name;
  std::vector<int64_t> shape;
};
std::vector<TensorSpec> expected_tensors(const UNetSpec& spec);

}  // namespace fresco::unet
