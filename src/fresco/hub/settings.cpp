#include "fresco/hub/settings.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "fresco/core/ascii.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"

namespace fresco::hub {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLargestTokenFile = 64 << 10;

std::string first_set(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != 0) return value;
  }
  return {};
}

bool is_true(std::string word) {
  word = lower_ascii(std::move(word));
  return word == "1" || word == "true" || word == "yes" || word == "on";
}

fs::path home() {
  const std::string folder = first_set({"HOME"});
  return folder.empty() ? fs::path("/") : fs::path(folder);
}

fs::path expanded(const std::string& path) {
  if (path == "~") return home();
  return path.starts_with("~/") ? home() / path.substr(2) : fs::path(path);
}

fs::path hub_home() {
  if (const auto folder = first_set({"HF_HOME"}); !folder.empty()) return expanded(folder);
  if (const auto folder = first_set({"XDG_CACHE_HOME"}); !folder.empty()) return expanded(folder) / "huggingface";
  return home() / ".cache" / "huggingface";
}

std::string trimmed(std::string text) {
  const auto visible = [](unsigned char c) { return c > ' '; };
  text.erase(text.begin(), std::ranges::find_if(text, visible));
  while (!text.empty() && !visible(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

std::string read_token() {
  if (is_true(first_set({"HF_HUB_DISABLE_IMPLICIT_TOKEN"}))) return {};
  if (const auto token = first_set({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}); !token.empty()) return trimmed(token);
  const auto named = first_set({"HF_TOKEN_PATH"});
  const fs::path file = named.empty() ? hub_home() / "token" : expanded(named);
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) ? trimmed(read_file(file, kLargestTokenFile)) : std::string();
}

std::string read_endpoint() {
  std::string endpoint = trimmed(first_set({"HF_ENDPOINT"}));
  if (endpoint.empty()) return "https://huggingface.co";
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (!endpoint.starts_with("http://") && !endpoint.starts_with("https://"))
    throw InputError("HF_ENDPOINT",
                     expected_got("an address that begins with http:// or https://", printable(endpoint)));
  return endpoint;
}

}  // namespace

Settings settings_from_environment() {
  Settings settings;
  const auto cache = first_set({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"});
  settings.cache = cache.empty() ? hub_home() / "hub" : expanded(cache);
  settings.endpoint = read_endpoint();
  settings.token = read_token();
  const auto printing = [](unsigned char c) { return c > ' ' && c < 127; };
  if (!std::ranges::all_of(settings.token, printing))
    throw InputError("HF_TOKEN", "expected letters, digits and signs, got spaces or other characters inside the token");
  settings.offline = is_true(first_set({"HF_HUB_OFFLINE"}));
  return settings;
}

}  // namespace fresco::hub
