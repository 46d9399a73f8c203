#include "fresco/checkpoint/single_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "fresco/checkpoint/folder.h"
#include "fresco/checkpoint/inferred_configs.h"
#include "fresco/checkpoint/key_tables.h"
#include "fresco/checkpoint/part_names.h"
#include "fresco/core/error.h"

namespace fresco::checkpoint {
namespace {

namespace fs = std::filesystem;

struct ForeignKind {
  std::string_view prefix, kind;
};

constexpr ForeignKind kForeign[] = {
    {"cond_stage_model.model.", "a Stable Diffusion 2 checkpoint (OpenCLIP text encoder)"},
    {"conditioner.embedders.", "a Stable Diffusion XL checkpoint (two text encoders)"},
    {"model.diffusion_model.joint_blocks.", "a Stable Diffusion 3 checkpoint"},
    {"model.diffusion_model.double_blocks.", "a Flux checkpoint"},
    {"lora_unet_", "an adapter (LoRA), not a model"},
    {"lora_te_", "an adapter (LoRA), not a model"},
};

void check_kind(const TensorSource& file) {
  for (const auto& foreign : kForeign) {
    if (std::ranges::any_of(file.tensors(),
                            [&](const TensorInfo& info) { return info.name.starts_with(foreign.prefix); }))
      throw InputError(file.place(), fmt::format("{}; expected Stable Diffusion v1", foreign.kind));
  }
}

void require(bool present, const TensorSource& file, std::string_view part, std::string_view prefix,
             std::string_view remedy = "") {
  if (!present)
    throw InputError(file.place(), fmt::format("the file holds no {} (tensors \"{}...\"){}", part, prefix, remedy));
}

void infer_configs(ModelFiles& files, bool with_vae) {
  files.unet.config = infer_unet_config(*files.unet.tensors);
  files.text_encoder.config = infer_text_config(*files.text_encoder.tensors);
  if (with_vae) files.vae.config = infer_vae_config(*files.vae.tensors);
  files.scheduler = published_scheduler();
  const std::string place = files.root.string();
  files.unet.config_place = files.text_encoder.config_place = files.vae.config_place = files.scheduler_place = place;
}

}  // namespace

ModelFiles open_single_file(const fs::path& path, const std::string& configs, bool with_vae) {
  const auto file = open_tensors(path.string());
  check_kind(*file);
  SingleFileKeys keys = sort_keys(*file);
  require(!keys.unet.empty(), *file, "U-Net", "model.diffusion_model.");
  require(!keys.text.empty(), *file, "text encoder", "cond_stage_model.transformer.");
  require(!keys.vae.empty() || !with_vae, *file, "VAE", "first_stage_model.", "; name one with --vae");
  ModelFiles files;
  files.root = path;
  files.unused = std::move(keys.unused);
  files.unet.tensors = rename(file, std::move(keys.unet));
  files.text_encoder.tensors = normalise_text(rename(file, std::move(keys.text)));
  if (with_vae) files.vae.tensors = normalise_vae(rename(file, std::move(keys.vae)));
  if (configs.empty())
    infer_configs(files, with_vae);
  else
    use_configs(files, configs);
  return files;
}

Part open_vae_file(const fs::path& path) {
  const auto file = open_tensors(path.string());
  auto keys = vae_keys(*file);
  require(!keys.empty(), *file, "VAE", "first_stage_model.");
  Part part;
  part.tensors = normalise_vae(rename(file, std::move(keys)));
  std::error_code unreadable;
  const bool described = fs::exists(path.parent_path() / "config.json", unreadable) &&
                         path.filename().string().starts_with("diffusion_pytorch_model");
  if (described) {
    read_config(part, path.parent_path());
  } else {
    part.config = infer_vae_config(*part.tensors);
    part.config_place = path.string();
  }
  return part;
}

}  // namespace fresco::checkpoint
