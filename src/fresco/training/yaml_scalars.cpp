#include "fresco/training/yaml_scalars.h"

#include <charconv>
#include <cmath>
#include <string>

#include "fresco/core/checked.h"

namespace fresco::training {
namespace {

int take_suffix(std::string_view& text) {
  const std::pair<char, int> suffixes[] = {{'k', 3}, {'K', 3}, {'M', 6}, {'G', 9}};
  for (const auto& [letter, power] : suffixes) {
    if (!text.ends_with(letter)) continue;
    text.remove_suffix(1);
    return power;
  }
  return 0;
}

std::optional<int> take_exponent(std::string_view& text) {
  const size_t at = text.find_first_of("eE");
  if (at == text.npos) return 0;
  std::string_view digits = text.substr(at + 1);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int power = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), power);
  if (error != std::errc() || end != digits.data() + digits.size() || std::abs(power) > 30) return std::nullopt;
  text = text.substr(0, at);
  return power;
}

// 12.50 -> 1250 and 2 digits behind the point; false when anything but digits, _ and one point stands there.
bool take_digits(std::string_view text, std::string& digits, int& behind) {
  bool point = false;
  for (const char c : text) {
    if (c == '_' && !digits.empty()) continue;
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return false;
    digits += c;
    behind += point ? 1 : 0;
  }
  return !digits.empty() && digits.size() < 60;
}

}  // namespace

std::optional<int64_t> parse_count(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const int suffix = take_suffix(text);
  const auto exponent = take_exponent(text);
  std::string digits;
  int behind = 0;
  if (!exponent || !take_digits(text, digits, behind)) return std::nullopt;
  int zeros = suffix + *exponent - behind;
  for (; zeros < 0; ++zeros) {
    if (!digits.empty() && digits.back() != '0') return std::nullopt;
    if (!digits.empty()) digits.pop_back();
  }
  std::optional<int64_t> value = 0;
  for (const char digit : digits + std::string(static_cast<size_t>(zeros), '0')) {
    if (value) value = checked_mul(*value, int64_t{10});
    if (value) value = checked_add(*value, int64_t{digit - '0'});
  }
  return value && negative ? -*value : value;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<bool> parse_flag(std::string_view text) {
  for (const std::string_view yes : {"true", "yes", "on", "True", "Yes", "On"})
    if (text == yes) return true;
  for (const std::string_view no : {"false", "no", "off", "False", "No", "Off"})
    if (text == no) return false;
  return std::nullopt;
}

}  // namespace fresco::training
