#include "fresco/checkpoint/model_files.h"

#include <fmt/format.h>

#include "fresco/checkpoint/folder.h"
#include "fresco/checkpoint/single_file.h"
#include "fresco/core/error.h"

namespace fresco::checkpoint {
namespace {

namespace fs = std::filesystem;

enum class Place { folder, file, nowhere };

Place place_of(const std::string& given) {
  std::error_code unreadable;
  const auto status = fs::status(given, unreadable);
  if (fs::is_directory(status)) return Place::folder;
  return fs::exists(status) ? Place::file : Place::nowhere;
}

ModelFiles open_own(const ModelRequest& request, Observer&) {
  const bool with_vae = request.vae.empty();
  switch (place_of(request.model)) {
    case Place::folder: return open_folder(request.model, with_vae);
    case Place::file: return open_single_file(request.model, request.config, with_vae);
    default: throw InputError(request.model, "no such model: neither a folder nor a file of this name exists");
  }
}

Part open_vae(const std::string& given, Observer&) {
  switch (place_of(given)) {
    case Place::folder: return open_vae_folder(given);
    case Place::file: return open_vae_file(given);
    default: throw InputError(given, "no such VAE: neither a folder nor a file of this name exists");
  }
}

}  // namespace

std::string_view name(Family family) {
  switch (family) {
    case Family::stable_diffusion: return "Stable Diffusion v1";
    case Family::decidiffusion_1: return "DeciDiffusion 1.0";
    case Family::decidiffusion_2: return "DeciDiffusion 2.0";
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

}  // namespace fresco::checkpoint
