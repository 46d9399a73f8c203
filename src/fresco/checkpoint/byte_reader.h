#pragma once
#include <fmt/format.h>

#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "fresco/core/error.h"

namespace fresco::checkpoint {

/// Walks bytes from outside, little endian, and never past their end.
class ByteReader {
 public:
  /// `where` and `what` ("pickle", "zip directory") begin the message of the FormatError that a read past the end throws.
  ByteReader(std::span<const std::byte> bytes, std::string_view where, std::string_view what, uint64_t at = 0)
      : bytes_(bytes), where_(where), what_(what), at_(at) {
    if (at > bytes.size()) past_end(0);
  }

  uint64_t at() const { return at_; }
  uint64_t left() const { return bytes_.size() - at_; }

  std::span<const std::byte> take(uint64_t count) {
    if (count > left()) past_end(count);
    const auto part = bytes_.subspan(at_, count);
    at_ += count;
    return part;
  }
  std::string_view take_text(uint64_t count) {
    const auto part = take(count);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  /// Up to the next line feed, which is swallowed.
  std::string_view line() {
    const std::string_view rest{reinterpret_cast<const char*>(bytes_.data()) + at_, left()};
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) past_end(rest.size() + 1);
    at_ += end + 1;
    return rest.substr(0, end);
  }

 private:
  [[noreturn]] void past_end(uint64_t count) const {
    throw FormatError(where_, fmt::format("{} is truncated: {} bytes expected at byte {}, the end is at {}", what_,
                                          count, at_, bytes_.size()));
  }

  std::span<const std::byte> bytes_;
  std::string where_, what_;
  uint64_t at_;
};

}  // namespace fresco::checkpoint
