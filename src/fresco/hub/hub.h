#pragma once
// Models named by their Hugging Face hub id, "owner/name": found in the cache that Python's
// huggingface_hub keeps, else downloaded into it, so that either program finds what the other one
// fetched.
//
// Environment, as huggingface_hub reads it: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME and
// XDG_CACHE_HOME place the cache; HF_ENDPOINT names another hub; HF_TOKEN, HUGGING_FACE_HUB_TOKEN or
// the token file (HF_TOKEN_PATH, else HF_HOME/token) hold the token; HF_HUB_OFFLINE forbids the
// network.
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/core/observer.h"

namespace fresco::hub {

struct HubRequest {
  std::string id;                  // owner/name
  std::string revision;            // branch, tag, commit or refs/pr/N; empty: main
  std::vector<std::string> parts;  // folders wanted, such as {"vae"}; empty: all that drawing needs
  bool refresh = false;            // ask the hub even when the cache holds all that is needed
};

/// Whether `text` has the form of a hub id. A relative path may have it too: look for a file of that name first.
bool looks_like_hub_id(std::string_view text);

/// The local folder snapshots/<commit> that holds the files needed to draw: nothing is asked of the
/// network when the cache has them (unless `refresh`). A repository of parts looks like a diffusers
/// folder (model_index.json, unet/, vae/, ...); one that is a single part has its config.json and
/// weights at the top; one without either holds a single file: see single_file(). Broken downloads are
/// kept as blobs/<etag>.incomplete and continued by the next call.
/// Errors: InputError (no such model or revision, no access, a malformed id), ResourceError (network,
/// disk, a file whose bytes are not those announced, offline and not in the cache), FormatError (a
/// listing that makes no sense), Interrupted.
std::filesystem::path snapshot(const HubRequest& request, Observer& observer);

/// The one .safetensors or .ckpt of a snapshot that has neither model_index.json nor a part's
/// config.json; nothing else.
std::optional<std::filesystem::path> single_file(const std::filesystem::path& snapshot);

}  // namespace fresco::hub
