// Which reader a file gets: its first bytes decide, its suffix never does.
#include <fmt/format.h>

#include "fresco/checkpoint/packed_header.h"
#include "fresco/checkpoint/safetensors.h"
#include "fresco/checkpoint/tensor_source.h"
#include "fresco/checkpoint/torch_file.h"
#include "fresco/core/error.h"
#include "fresco/core/mapped_file.h"

namespace fresco::checkpoint {
namespace {

constexpr size_t kBeginning = 64;  // bytes looked at, and quoted when no reader knows the file

std::string_view beginning(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kBeginning)};
}

bool is_safetensors(std::string_view text) { return text.size() > 8 && text[8] == '{'; }
bool is_web_page(std::string_view text) {
  return text.starts_with("<!") || text.starts_with("<html") || text.starts_with("<?xml");
}
bool is_lfs_pointer(std::string_view text) { return text.starts_with("version https://git-lfs"); }

[[noreturn]] void refuse(std::string_view text, const std::string& file) {
  if (text.empty()) throw FormatError(file, "empty file; expected tensors");
  if (text.starts_with(kPackedMagic)) throw FormatError(file, "a packed fresco model; expected plain tensors");
  if (is_web_page(text)) throw FormatError(file, "a web page, not tensors: was an error page saved under this name?");
  if (is_lfs_pointer(text))
    throw FormatError(file, "a git-lfs pointer, not the tensors themselves; run \"git lfs pull\" in its folder");
  throw FormatError(file, fmt::format("neither safetensors nor a torch checkpoint (truncated?); begins with \"{}\"",
                                      printable(text, 24)));
}

}  // namespace

std::shared_ptr<const TensorSource> open_tensors(const std::string& file) {
  auto mapped = std::make_shared<const MappedFile>(file);
  const std::string_view text = beginning(mapped->bytes());
  if (is_safetensors(text)) return open_safetensors(std::move(mapped));
  if (is_zip(text)) return open_torch_zip(std::move(mapped));
  if (is_pickle(text)) return open_torch_legacy(std::move(mapped));
  refuse(text, file);
}

}  // namespace fresco::checkpoint
