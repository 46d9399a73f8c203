#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fresco::report {

/// RFC 4648, with padding and without line breaks.
std::string to_base64(std::span<const std::byte> bytes);

/// Errors: FormatError for text that is not base64.
std::vector<uint8_t> from_base64(std::string_view text);

}  // namespace fresco::report
