#include "prompts.h"

#include <fmt/format.h>

#include <cstdint>

#include "fresco/core/error.h"
#include "fresco/core/files.h"

namespace fresco::cli {
namespace {

constexpr uint64_t kLargestPromptFile = 64 << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kBlanks = " \t\r\v\f";

std::string_view trimmed(std::string_view line) {
  const size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t k) { return i + k < text.size() ? static_cast<uint8_t>(text[i + k]) : uint8_t{0}; };
    const uint8_t lead = byte(0);
    const size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (length == 0) return false;
    uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t k = 1; k < length; ++k) {
      if (byte(k) >> 6 != 2) return false;
      code = code << 6 | (byte(k) & 0x3fu);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kLeast[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += length;
  }
  return true;
}

std::vector<std::string> read_prompts(const std::filesystem::path& file, std::string_view option) {
  const std::string text = read_file(file, kLargestPromptFile);
  std::string_view rest = text;
  if (rest.substr(0, kByteOrderMark.size()) == kByteOrderMark) rest.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> prompts;
  for (int number = 1; !rest.empty(); ++number) {
    const size_t end = rest.find('\n');
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!is_utf8(line) || line.find('\0') != std::string_view::npos) {
      throw FormatError(fmt::format("{}:{}", file.string(), number), "expected text in UTF-8, got other bytes");
    }
    if (!line.empty() && line.front() != '#') prompts.emplace_back(line);
  }
  if (prompts.empty())
    throw InputError(fmt::format("{} {}", option, file.string()), "expected a prompt a line, got none");
  return prompts;
}

}  // namespace fresco::cli
