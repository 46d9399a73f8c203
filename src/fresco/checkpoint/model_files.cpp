#include "fresco/checkpoint/model_files.h"

#include <fmt/format.h>

#include "fresco/checkpoint/folder.h"
#include "fresco/checkpoint/packed_file.h"
#include "fresco/checkpoint/single_file.h"
#include "fresco/core/error.h"
#include "fresco/hub/hub.h"

namespace fresco::checkpoint {
namespace {

namespace fs = std::filesystem;

bool is_there(const std::string& path) {
  std::error_code unreadable;
  return fs::exists(path, unreadable);
}
bool is_folder(const fs::path& path) {
  std::error_code unreadable;
  return fs::is_directory(path, unreadable);
}

/// What lies at `given`, or what the hub gives for it: a folder or a single file.
fs::path locate(const std::string& given, const std::string& revision, std::vector<std::string> parts,
                std::string_view what, Observer& observer) {
  if (is_there(given)) return given;
  if (!hub::looks_like_hub_id(given))
    throw InputError(
        printable(given),
        fmt::format("no such {}: neither a folder or file of this name exists, nor is it a hub id such as owner/name",
                    what));
  const fs::path snapshot =
      hub::snapshot({.id = given, .revision = revision, .parts = std::move(parts), .refresh = false}, observer);
  return hub::single_file(snapshot).value_or(snapshot);
}

ModelFiles open_own(const ModelRequest& request, Observer& observer) {
  const bool with_vae = request.vae.empty();
  std::vector<std::string> parts;
  if (!with_vae) parts = {"unet", "text_encoder", "tokenizer", "scheduler"};
  const fs::path place = locate(request.model, request.revision, std::move(parts), "model", observer);
  if (is_folder(place)) return open_folder(place, with_vae);
  if (!is_packed(place)) return open_single_file(place, request.config, with_vae);
  if (!request.config.empty()) throw InputError("--config", "a packed file has its configs inside");
  return open_packed(place);
}

Part open_vae(const std::string& given, Observer& observer) {
  const fs::path place = locate(given, {}, {"vae"}, "VAE", observer);
  if (is_folder(place)) return open_vae_folder(place);
  return is_packed(place) ? open_packed(place).vae : open_vae_file(place);
}

}  // namespace

std::string_view name(Family family) {
  switch (family) {
    case Family::stable_diffusion:
      return "Stable Diffusion v1";
    case Family::decidiffusion_1:
      return "DeciDiffusion 1.0";
    case Family::decidiffusion_2:
      return "DeciDiffusion 2.0";
  }
  return "";
}

ModelFiles open_model(const ModelRequest& request, Observer& observer) {
  if (request.model.empty()) throw InputError("--model", "expected a folder, a file or a hub id, got nothing");
  ModelFiles files = open_own(request, observer);
  files.given = request.model;
  if (!request.vae.empty()) files.vae = open_vae(request.vae, observer);
  return files;
}

std::string short_name(const std::string& model) {
  fs::path path = fs::path(model).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const std::string suffix = path.extension().string();
  const bool file =
      suffix == ".safetensors" || suffix == ".ckpt" || suffix == ".pt" || suffix == ".bin" || suffix == ".fresco";
  const std::string name = (file ? path.stem() : path.filename()).string();
  return name.empty() || name == "." || name == ".." ? model : name;
}

}  // namespace fresco::checkpoint
