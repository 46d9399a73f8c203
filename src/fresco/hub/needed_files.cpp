#include "fresco/hub/needed_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace fresco::hub {
namespace {

using Listing = std::set<std::string, std::less<>>;

struct Network {
  const char* part;  // what a request calls it
  const char* folder;
  const char* stem;      // of .safetensors files
  const char* bin_stem;  // of .bin files
};
constexpr Network kUNet = {"unet", "unet/", "diffusion_pytorch_model", "diffusion_pytorch_model"};
constexpr Network kFlexibleUNet = {"unet", "flexible_unet/", "diffusion_pytorch_model", "diffusion_pytorch_model"};
constexpr Network kVae = {"vae", "vae/", "diffusion_pytorch_model", "diffusion_pytorch_model"};
constexpr Network kTextEncoder = {"text_encoder", "text_encoder/", "model", "pytorch_model"};
// A repository that is one part alone, such as a published VAE.
constexpr Network kTopNetworks[] = {{"", "", "diffusion_pytorch_model", "diffusion_pytorch_model"},
                                    {"", "", "model", "pytorch_model"}};

bool has(const Listing& listing, std::string_view path) { return listing.contains(path); }

bool wants(std::span<const std::string> parts, std::string_view part) {
  return parts.empty() || std::ranges::find(parts, part) != parts.end();
}

/// The index and its shards "stem-00001-of-00003ending", all of them or nothing.
Paths shards(const Listing& listing, const std::string& index, const std::string& stem, const std::string& ending) {
  if (!has(listing, index)) return {};
  Paths found = {index};
  size_t expected = 0;
  for (const auto& path : listing) {
    if (!path.starts_with(stem + "-") || !path.ends_with(ending)) continue;
    const auto middle = std::string_view(path).substr(stem.size(), path.size() - stem.size() - ending.size());
    const size_t of = middle.find("-of-");
    if (of == middle.npos || middle.find_first_not_of("0123456789-of") != middle.npos) continue;
    expected = static_cast<size_t>(std::strtoull(middle.substr(of + 4).data(), nullptr, 10));
    found.push_back(path);
  }
  return found.size() == expected + 1 && expected > 0 ? found : Paths{};
}

/// The first complete set of weights: safetensors before pickles, full precision before half.
Paths weights(const Listing& listing, const Network& network) {
  const std::string safe = std::string(network.folder) + network.stem;
  const std::string bin = std::string(network.folder) + network.bin_stem;
  struct Candidate {
    std::string whole, index, stem, ending;
  };
  const Candidate candidates[] = {
      {safe + ".safetensors", safe + ".safetensors.index.json", safe, ".safetensors"},
      {safe + ".fp16.safetensors", safe + ".safetensors.index.fp16.json", safe + ".fp16", ".safetensors"},
      {bin + ".bin", bin + ".bin.index.json", bin, ".bin"},
      {bin + ".fp16.bin", bin + ".bin.index.fp16.json", bin + ".fp16", ".bin"},
  };
  for (const auto& candidate : candidates) {
    if (has(listing, candidate.whole)) return {candidate.whole};
    if (auto set = shards(listing, candidate.index, candidate.stem, candidate.ending); !set.empty()) return set;
  }
  return {};
}

void append(Paths& paths, const Paths& more) { paths.insert(paths.end(), more.begin(), more.end()); }

void append_if_there(Paths& paths, const Listing& listing, const std::string& path) {
  if (has(listing, path)) paths.push_back(path);
}

bool is_flexible(const Listing& listing) { return has(listing, "flexible_unet/config.json"); }

bool is_folder_of_parts(const Listing& listing) {
  for (const auto* path : {"model_index.json", "unet/config.json", "flexible_unet/config.json", "vae/config.json"})
    if (has(listing, path)) return true;
  return false;
}

/// Config and weights of a repository that is one part alone; empty when it is not.
Paths single_part(const Listing& listing) {
  if (!has(listing, "config.json")) return {};
  for (const auto& network : kTopNetworks) {
    Paths paths = weights(listing, network);
    if (paths.empty()) continue;
    paths.insert(paths.begin(), "config.json");
    return paths;
  }
  return {};
}

Paths tokenizer_files(const Listing& listing) {
  Paths paths;
  for (const auto& path : listing) {
    const std::string_view folder = "tokenizer/";
    if (!path.starts_with(folder) || path.find('/', folder.size()) != path.npos) continue;
    if (path.ends_with(".json") || path.ends_with(".txt")) paths.push_back(path);
  }
  return paths;
}

std::vector<Network> networks_of(bool flexible) { return {flexible ? kFlexibleUNet : kUNet, kVae, kTextEncoder}; }

Paths needed_of_parts(const Listing& listing, std::span<const std::string> parts) {
  Paths needed;
  append_if_there(needed, listing, "model_index.json");
  if (is_flexible(listing) && wants(parts, "unet")) append_if_there(needed, listing, "unet/config.json");
  for (const auto& network : networks_of(is_flexible(listing))) {
    if (!wants(parts, network.part)) continue;
    append_if_there(needed, listing, std::string(network.folder) + "config.json");
    append(needed, weights(listing, network));
  }
  if (wants(parts, "scheduler")) append_if_there(needed, listing, "scheduler/scheduler_config.json");
  if (wants(parts, "tokenizer")) append(needed, tokenizer_files(listing));
  return needed;
}

Paths missing_of_parts(const Listing& listing, std::span<const std::string> parts, bool flexible) {
  Paths missing;
  const auto require = [&](const std::string& path) {
    if (!has(listing, path)) missing.push_back(path);
  };
  if (parts.empty()) require("model_index.json");
  for (const auto& network : networks_of(flexible || is_flexible(listing))) {
    if (!wants(parts, network.part)) continue;
    require(std::string(network.folder) + "config.json");
    if (weights(listing, network).empty())
      missing.push_back(fmt::format("{}{}.safetensors", network.folder, network.stem));
  }
  if (wants(parts, "scheduler")) require("scheduler/scheduler_config.json");
  if (wants(parts, "tokenizer") && !has(listing, "tokenizer/tokenizer.json")) {
    require("tokenizer/vocab.json");
    require("tokenizer/merges.txt");
  }
  return missing;
}

}  // namespace

Paths single_files(std::span<const std::string> paths) {
  std::map<std::string, std::string> by_stem;
  for (const std::string ending : {".ckpt", ".safetensors"}) {
    for (const auto& path : paths) {
      if (path.find('/') != path.npos || !path.ends_with(ending)) continue;
      by_stem[path.substr(0, path.size() - ending.size())] = path;
    }
  }
  Paths files;
  for (const auto& [stem, path] : by_stem) files.push_back(path);
  return files;
}

std::optional<std::string> obvious_single_file(std::span<const std::string> paths) {
  Paths files = single_files(paths);
  if (files.size() > 1) std::erase_if(files, [](const auto& file) { return file.find("emaonly") == file.npos; });
  return files.size() == 1 ? std::optional(files.front()) : std::nullopt;
}

Paths needed_files(std::span<const std::string> paths, std::span<const std::string> parts) {
  const Listing listing(paths.begin(), paths.end());
  if (is_folder_of_parts(listing)) return needed_of_parts(listing, parts);
  if (Paths files = single_part(listing); !files.empty()) return files;
  const auto file = obvious_single_file(paths);
  return file ? Paths{*file} : Paths{};
}

Paths missing_files(std::span<const std::string> paths, std::span<const std::string> parts, bool flexible) {
  const Listing listing(paths.begin(), paths.end());
  if (is_folder_of_parts(listing)) return missing_of_parts(listing, parts, flexible);
  if (!single_part(listing).empty() || obvious_single_file(paths)) return {};
  return {"model_index.json"};
}

}  // namespace fresco::hub
