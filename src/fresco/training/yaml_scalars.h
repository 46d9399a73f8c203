#pragma once
// What stands in a settings file as one word, as a value.
#include <cstdint>
#include <optional>
#include <string_view>

namespace fresco::training {

/// A whole number: 870000, 870_000, 870k, 1.28M, 2G, 1e6. Nothing when it is none or leaves int64.
std::optional<int64_t> parse_count(std::string_view text);
/// A finite number. Nothing when it is none.
std::optional<double> parse_number(std::string_view text);
/// true, false, yes, no, on, off.
std::optional<bool> parse_flag(std::string_view text);

}  // namespace fresco::training
