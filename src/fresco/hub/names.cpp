#include "fresco/hub/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/hub/hub.h"

namespace fresco::hub {
namespace {

constexpr size_t kLongestId = 96;  // the hub's own limit
constexpr size_t kLongestRevision = 200;
constexpr size_t kLongestPath = 1000;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool is_id_half(std::string_view half) {
  return !half.empty() && std::ranges::all_of(half, is_word) && half.front() != '.' && half.front() != '-' &&
         half.back() != '.' && half.back() != '-' && half.find("..") == half.npos && half.find("--") == half.npos;
}

// Errors about a file name the user typed are clearer than a search for such a model.
bool has_file_ending(std::string_view text) {
  for (const auto* ending : {".safetensors", ".ckpt", ".bin", ".pt", ".pth", ".json"})
    if (text.ends_with(ending)) return true;
  return false;
}

}  // namespace

bool looks_like_hub_id(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos || text.size() > kLongestId || has_file_ending(text)) return false;
  return is_id_half(text.substr(0, slash)) && is_id_half(text.substr(slash + 1));
}

void check_id(std::string_view id) {
  if (!looks_like_hub_id(id)) throw InputError(printable(id), "expected a hub id such as Deci/DeciDiffusion-v1-0");
}

bool stays_inside(std::string_view path) {
  if (path.empty() || path.size() > kLongestPath) return false;
  if (std::ranges::any_of(path, [](unsigned char c) { return c < ' ' || c == 127 || c == '\\'; })) return false;
  for (size_t at = 0; at <= path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    const auto step = path.substr(at, slash - at);
    if (step.empty() || step == "." || step == "..") return false;
    at = slash + 1;
  }
  return true;
}

void check_revision(std::string_view id, std::string_view revision) {
  const auto allowed = [](char c) { return is_word(c) || c == '/' || c == '+'; };
  if (stays_inside(revision) && std::ranges::all_of(revision, allowed) && revision.size() <= kLongestRevision) return;
  throw InputError(
      id, fmt::format("--revision: expected a branch, a tag, a commit or refs/pr/N, got \"{}\"", printable(revision)));
}

bool is_hex(std::string_view text, size_t digits) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == digits && std::ranges::all_of(text, digit);
}

bool is_commit(std::string_view text) { return is_hex(text, 40); }

bool is_blob_name(std::string_view text) {
  return !text.empty() && text.size() <= 200 && text.front() != '.' && std::ranges::all_of(text, is_word);
}

}  // namespace fresco::hub
