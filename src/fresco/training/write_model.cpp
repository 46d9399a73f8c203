#include <fmt/format.h>

#include "fresco/checkpoint/safetensors.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/text/tokenizer.h"
#include "fresco/training/training_model.h"

namespace fresco::training {
namespace {

namespace fs = std::filesystem;
using checkpoint::ModelFiles;

constexpr uint64_t kLargestTokenizerFile = 64 << 20;

void write_part(const checkpoint::Part& part, const fs::path& folder, const char* weights) {
  fs::create_directories(folder);
  write_file(folder / "config.json", part.config.dump(2) + "\n", false);
  std::vector<checkpoint::TensorData> tensors;
  for (const auto& info : part.tensors->tensors()) tensors.push_back(part.tensors->read(info.name));
  checkpoint::write_safetensors(folder / weights, tensors, {{"format", "pt"}}, false);
}

void write_tokenizer(const FileSet& given, const fs::path& folder) {
  fs::create_directories(folder);
  const FileSet files = given.none() ? text::built_in_tokenizer_files() : given;
  for (const auto* name : {"vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json",
                           "special_tokens_map.json", "added_tokens.json"})
    if (files.has(name)) write_file(folder / name, files.read(name, kLargestTokenizerFile), false);
}

Json index_of(const ModelFiles& files) {
  const bool stock = files.family == checkpoint::Family::stable_diffusion;
  const auto scheduler = files.scheduler.value("_class_name", "DDIMScheduler");
  return {{"_class_name", stock ? "StableDiffusionPipeline" : "DeciDiffusionPipeline"},
          {"_diffusers_version", "0.35.2"},
          {"feature_extractor", {nullptr, nullptr}},
          {"requires_safety_checker", false},
          {"safety_checker", {nullptr, nullptr}},
          {"scheduler", {"diffusers", scheduler}},
          {"text_encoder", {"transformers", "CLIPTextModel"}},
          {"tokenizer", {"transformers", "CLIPTokenizer"}},
          {"unet", {"diffusers", "UNet2DConditionModel"}},
          {"vae", {"diffusers", "AutoencoderKL"}}};
}

void write_parts(const ModelFiles& files, const fs::path& folder) {
  const bool stock = files.family == checkpoint::Family::stable_diffusion;
  write_part(files.unet, folder / (stock ? "unet" : "flexible_unet"), "diffusion_pytorch_model.safetensors");
  write_part(files.vae, folder / "vae", "diffusion_pytorch_model.safetensors");
  write_part(files.text_encoder, folder / "text_encoder", "model.safetensors");
  write_tokenizer(files.tokenizer, folder / "tokenizer");
  fs::create_directories(folder / "scheduler");
  write_file(folder / "scheduler/scheduler_config.json", files.scheduler.dump(2) + "\n", false);
  write_file(folder / "model_index.json", index_of(files).dump(2) + "\n", false);
}

}  // namespace

void write_model(const ModelFiles& files, const fs::path& folder) {
  if (fs::exists(folder)) throw InputError(folder.string(), "exists already");
  const fs::path aside = folder.string() + ".partial";
  std::error_code ignored;
  fs::remove_all(aside, ignored);
  try {
    write_parts(files, aside);
    fs::rename(aside, folder);
  } catch (const fs::filesystem_error& error) {
    fs::remove_all(aside, ignored);
    throw ResourceError(folder.string(), fmt::format("cannot be written: {}", error.code().message()));
  } catch (...) {
    fs::remove_all(aside, ignored);
    throw;
  }
}

}  // namespace fresco::training
