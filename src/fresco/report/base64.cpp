#include "fresco/report/base64.h"

#include <openssl/evp.h>

#include "fresco/core/error.h"

namespace fresco::report {
namespace {

// OpenSSL counts in int: whole groups that stay far below it.
constexpr size_t kGroups = 1 << 20;

}  // namespace

std::string to_base64(std::span<const std::byte> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // one more for OpenSSL's closing zero
  size_t written = 0;
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), 3 * kGroups));
    written += static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data() + written),
                                                   reinterpret_cast<const unsigned char*>(part.data()),
                                                   static_cast<int>(part.size())));
    bytes = bytes.subspan(part.size());
  }
  text.resize(written);
  return text;
}

std::vector<uint8_t> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) throw FormatError("base64", "expected groups of four characters");
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::vector<uint8_t> bytes(text.size() / 4 * 3);
  size_t written = 0;
  while (!text.empty()) {
    const auto part = text.substr(0, 4 * kGroups);
    const int got = EVP_DecodeBlock(bytes.data() + written, reinterpret_cast<const unsigned char*>(part.data()),
                                    static_cast<int>(part.size()));
    if (got < 0) throw FormatError("base64", "expected letters, digits, + and / only");
    written += static_cast<size_t>(got);
    text.remove_prefix(part.size());
  }
  bytes.resize(written - padding);
  return bytes;
}

}  // namespace fresco::report
