#include "fresco/core/names.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "fresco/core/error.h"

namespace fresco {
namespace {

constexpr std::array<std::pair<std::string_view, Device>, 3> kDevices = {
    {{"auto", Device::automatic}, {"cpu", Device::cpu}, {"cuda", Device::cuda}}};
constexpr std::array<std::pair<std::string_view, Precision>, 6> kPrecisions = {{{"auto", Precision::automatic},
                                                                                {"f32", Precision::f32},
                                                                                {"bf16", Precision::bf16},
                                                                                {"f16", Precision::f16},
                                                                                {"int8", Precision::int8},
                                                                                {"fast", Precision::fast}}};

constexpr std::array<std::pair<std::string_view, Memory>, 2> kMemories = {
    {{"fast", Memory::fast}, {"lean", Memory::lean}}};

// dB; written down from the last run of tests/pipeline/precision_test.cpp
constexpr std::array<std::pair<Precision, int>, 3> kMeasuredPsnr = {
    {{Precision::bf16, 59}, {Precision::f16, 80}, {Precision::int8, 59}}};

template <typename Table>
auto parse(const Table& table, std::string_view word, std::string_view where) {
  std::vector<std::string> known;
  for (const auto& [text, value] : table) {
    if (text == word) return value;
    known.emplace_back(text);
  }
  throw InputError(where, expected_got("one of " + joined(known), fmt::format("\"{}\"", printable(word))));
}

template <typename Table, typename Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [text, known] : table) {
    if (known == value) return text;
  }
  return "?";
}

}  // namespace

Device parse_device(std::string_view word, std::string_view where) { return parse(kDevices, word, where); }
Precision parse_precision(std::string_view word, std::string_view where) { return parse(kPrecisions, word, where); }
Memory parse_memory(std::string_view word, std::string_view where) { return parse(kMemories, word, where); }
std::string_view name(Device device) { return name_in(kDevices, device); }
std::string_view name(Precision precision) { return name_in(kPrecisions, precision); }
std::string_view name(Memory memory) { return name_in(kMemories, memory); }

std::optional<int> measured_psnr(Precision precision) {
  for (const auto& [known, decibels] : kMeasuredPsnr) {
    if (known == precision) return decibels;
  }
  return std::nullopt;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  const std::ptrdiff_t sign = number < 0 ? 1 : 0;
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > sign; place -= 3)
    digits.insert(static_cast<size_t>(place), 1, ',');
  return digits;
}

std::string size_text(double bytes) {
  if (bytes < 1e6) return fmt::format("{:.0f} kB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.1f} MB", bytes / 1e6);
  return fmt::format("{:.2f} GB", bytes / 1e9);
}

std::string_view version() { return FRESCO_VERSION; }

}  // namespace fresco
