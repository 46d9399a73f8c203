#include "fresco/checkpoint/folder.h"

#include <fmt/format.h>

#include <array>

#include "fresco/checkpoint/part_names.h"
#include "fresco/core/error.h"
#include "fresco/core/names.h"

namespace fresco::checkpoint {
namespace {

namespace fs = std::filesystem;

// In the order they are looked for; diffusers' stem for U-Net and VAE, transformers' for text.
constexpr std::array<std::string_view, 14> kWeightFiles{
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
    "diffusion_pytorch_model.fp16.safetensors",
    "diffusion_pytorch_model.safetensors.index.fp16.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model.fp16.safetensors",
    "model.safetensors.index.fp16.json",
    "diffusion_pytorch_model.bin",
    "diffusion_pytorch_model.bin.index.json",
    "diffusion_pytorch_model.fp16.bin",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "pytorch_model.fp16.bin",
};

bool is_folder(const fs::path& path) {
  std::error_code unreadable;
  return fs::is_directory(path, unreadable);
}
bool is_there(const fs::path& path) {
  std::error_code unreadable;
  return fs::exists(path, unreadable);
}

std::shared_ptr<const TensorSource> open_weights(const fs::path& folder) {
  for (const auto file : kWeightFiles) {
    const fs::path path = folder / file;
    if (!is_there(path)) continue;
    return path.extension() == ".json" ? open_sharded_tensors(path.string()) : open_tensors(path.string());
  }
  throw InputError(folder.string(),
                   "no weights; expected diffusion_pytorch_model.safetensors, model.safetensors, a sharded index "
                   "or .bin files of these names");
}

Json read_object(const fs::path& file) {
  Json object = read_json(file);
  if (!object.is_object())
    throw FormatError(file.string(), fmt::format("expected a JSON object, got {}", object.type_name()));
  return object;
}

void require_part(const fs::path& model, std::string_view part) {
  if (!is_folder(model / part)) throw InputError(model.string(), fmt::format("the model has no {}/ folder", part));
}

// Other kinds of pipelines say so in their index; better a word about it than a missing tensor later. DeciDiffusion's unet/ is a
// stock one that only stands in for flexible_unet/.
void check_kind(const fs::path& model) {
  if (!is_there(model / "model_index.json")) return;
  const std::string where = (model / "model_index.json").string();
  const Json index = read_object(model / "model_index.json");
  const auto pipeline = json_value<std::string>(index, "_class_name", "", where);
  for (const auto foreign : {"text_encoder_2", "transformer", "prior"}) {
    if (index.contains(foreign))
      throw InputError(where, fmt::format("a {} has a part \"{}\"; expected Stable Diffusion v1 or DeciDiffusion",
                                          printable(pipeline), foreign));
  }
  if (pipeline.starts_with("DeciDiffusion")) require_part(model, "flexible_unet");
}

bool has_middle_block(const TensorSource& unet) {
  for (const auto& info : unet.tensors()) {
    if (info.name.starts_with("mid_block.")) return true;
  }
  return false;
}

bool holds_vocabulary(const fs::path& folder) {
  return is_there(folder / "tokenizer.json") || (is_there(folder / "vocab.json") && is_there(folder / "merges.txt"));
}

fs::path tokenizer_folder(const fs::path& model) {
  require_part(model, "tokenizer");
  fs::path folder = model / "tokenizer";
  if (!holds_vocabulary(folder))
    throw InputError(folder.string(), "expected vocab.json and merges.txt, or tokenizer.json");
  return folder;
}

void read_scheduler(ModelFiles& files, const fs::path& model) {
  require_part(model, "scheduler");
  const fs::path file = model / "scheduler" / "scheduler_config.json";
  files.scheduler = read_object(file);
  files.scheduler_place = file.string();
}

}  // namespace

Family family_of(const Part& unet) {
  const bool flexible =
      unet.config.contains("configurations") ||
      json_value<std::string>(unet.config, "_class_name", "", unet.config_place) == "FlexibleUNet2DConditionModel";
  if (!flexible) return Family::stable_diffusion;
  return has_middle_block(*unet.tensors) ? Family::decidiffusion_1 : Family::decidiffusion_2;
}

void read_config(Part& part, const fs::path& folder) {
  part.config = read_object(folder / "config.json");
  part.config_place = (folder / "config.json").string();
}

Part open_part(const fs::path& folder) {
  Part part;
  read_config(part, folder);
  part.tensors = open_weights(folder);
  return part;
}

Part open_vae_folder(const fs::path& folder) {
  Part part = open_part(is_folder(folder / "vae") ? folder / "vae" : folder);
  part.tensors = normalise_vae(std::move(part.tensors));
  return part;
}

fs::path unet_folder(const fs::path& model) {
  for (const auto name : {"flexible_unet", "unet"}) {
    if (is_folder(model / name)) return model / name;
  }
  throw InputError(model.string(), "the model has no unet/ folder (nor flexible_unet/)");
}

void use_configs(ModelFiles& files, const fs::path& folder) {
  if (!is_folder(folder)) throw InputError(folder.string(), "expected a model folder with configs");
  for (const auto part : {"vae", "text_encoder"}) require_part(folder, part);
  read_config(files.unet, unet_folder(folder));
  read_config(files.vae, folder / "vae");
  read_config(files.text_encoder, folder / "text_encoder");
  read_scheduler(files, folder);
  if (holds_vocabulary(folder / "tokenizer")) files.tokenizer = folder / "tokenizer";
}

ModelFiles open_folder(const fs::path& folder, bool with_vae) {
  check_kind(folder);
  ModelFiles files;
  files.root = folder;
  const fs::path unet = unet_folder(folder);
  require_part(folder, "text_encoder");
  if (with_vae) require_part(folder, "vae");
  read_scheduler(files, folder);
  files.tokenizer = tokenizer_folder(folder);
  files.unet = open_part(unet);
  files.text_encoder = open_part(folder / "text_encoder");
  files.text_encoder.tensors = normalise_text(std::move(files.text_encoder.tensors));
  if (with_vae) files.vae = open_vae_folder(folder / "vae");
  files.family = family_of(files.unet);
  return files;
}

}  // namespace fresco::checkpoint
