#pragma once
// The pieces that drawing a picture is made of, each run alone and timed.
#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "fresco/ops/memory/arena.h"
#include "fresco/pipeline/loaded_model.h"

namespace fresco::benchmarks {

struct Timing {
  double seconds = 0;
  at::Tensor output;        // undefined where a piece has none
  double load_seconds = 0;  // what a picture's model took, beside seconds
};

/// Names: "text" (two texts of 77 tokens), "bind" (their keys and values for every cross-attention, once a prompt), "unet" (one guided call:
/// batch 2), "vae" (decoding one picture), "load" (open and prepare all weights), "picture" (load, then draw one).
const std::vector<std::string>& piece_names();

/// Works on input numbers that torch's generator gives for fixed seeds, so that another program can compute the same.
class Pieces {
 public:
  /// size: side of the picture in pixels; steps: of the piece "picture"; pictures: of one guided call and of decoding.
  Pieces(pipeline::LoadOptions options, int64_t size, int steps, int64_t pictures = 1);

  /// Errors: InputError for a name that is none or a size that does not fit, and those of loading a model.
  Timing run(const std::string& piece);
  /// Bytes of the model's weights as float32.
  uint64_t weight_bytes() const;

 private:
  ops::Arena arena_;  // as one drawing has
  struct Networks {
    text::TextEncoder text;
    unet::UNet unet;
    vae::Vae vae;
  };
  const Networks& networks();
  Timing picture() const;

  pipeline::LoadOptions options_;
  int64_t size_, pictures_;
  int steps_;
  at::Tensor latents_, latent_, context_, ids_;
  std::optional<Networks> networks_;
  unet::BoundContext bound_;
};

}  // namespace fresco::benchmarks
