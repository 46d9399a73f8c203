#pragma once
// From what the user typed after --model to the parts of a model: configs and named tensors, nothing loaded yet.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/file_set.h"
#include "fresco/core/json.h"
#include "fresco/core/observer.h"

namespace fresco::checkpoint {

enum class Family { stable_diffusion, decidiffusion_1, decidiffusion_2 };
std::string_view name(Family family);  // "Stable Diffusion v1", "DeciDiffusion 1.0", "DeciDiffusion 2.0"

/// One network of a model. Tensor names are those of diffusers (transformers for text) whatever the file called them.
struct Part {
  Json config;               // as in the part's config.json, or what a single file's shapes say
  std::string config_place;  // the file a message about the config should name
  std::shared_ptr<const TensorSource> tensors;
};

struct ModelFiles {
  Family family = Family::stable_diffusion;
  std::string given;           // what the user asked for
  std::filesystem::path root;  // folder or single file
  Part unet, vae, text_encoder;
  /// vocab.json + merges.txt or tokenizer.json, and settings; none: use the vocabulary that ships with fresco.
  FileSet tokenizer;
  Json scheduler;  // scheduler_config.json
  std::string scheduler_place;
  /// Tensors of a single file that belong to no part and are not known strays, for `inspect`.
  std::vector<std::string> unused;
};

struct ModelRequest {
  std::string model;     // diffusers folder, single .safetensors/.ckpt, packed file, or hub id
  std::string revision;  // for hub ids; empty: main
  std::string vae;       // another VAE: folder, file or hub id; empty: the model's own
  std::string config;    // folder whose configs describe a single file; empty: its shapes do
};

/// Errors: InputError (no such model, a missing part), FormatError (broken files), ResourceError (network).
ModelFiles open_model(const ModelRequest& request, Observer& observer);

/// What people and other programs call a model: the last part of its name, without the suffix of a file of weights.
std::string short_name(const std::string& model);

/// SHA-256 over the names, types, shapes and bytes of every tensor used: the same for a folder, a single file and a packed file of the
/// same weights.
std::string weights_hash(const ModelFiles& files, Observer& observer);

}  // namespace fresco::checkpoint
