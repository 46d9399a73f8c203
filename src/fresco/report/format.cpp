#include "fresco/report/format.h"

#include <fmt/format.h>

#include <cmath>

#include "fresco/core/names.h"
#include "fresco/core/unicode.h"

namespace fresco::report {

std::string figure(double value) {
  const double size = std::abs(value);
  if (size >= 999.5) return grouped(std::llround(value));
  if (size >= 99.95) return fmt::format("{:.0f}", value);
  if (size >= 9.995) return fmt::format("{:.1f}", value);
  if (size >= 0.9995) return fmt::format("{:.2f}", value);
  if (size >= 0.09995) return fmt::format("{:.3f}", value);
  if (size >= 0.009995) return fmt::format("{:.4f}", value);
  return size == 0 ? "0" : fmt::format("{:.3g}", value);
}

std::string seconds_text(double seconds) {
  return seconds < 0.9995 ? figure(seconds * 1e3) + " ms" : figure(seconds) + " s";
}

std::string bytes_text(double bytes) {
  if (bytes < 1e9) return fmt::format("{:.0f} MB", bytes / 1e6);
  return fmt::format("{:.2f} GB", bytes / 1e9);
}

std::string millions_text(double count) { return figure(count / 1e6) + " M"; }

std::string giga_text(double count) {
  return count < 9.995e12 ? figure(count / 1e9) + " G" : figure(count / 1e12) + " T";
}

std::string escaped(std::string_view text) {
  std::u32string plain = decode_utf8(text);
  for (char32_t& letter : plain) {
    const bool control = (letter < 0x20 && letter != '\t' && letter != '\n') || (letter >= 0x7f && letter < 0xa0);
    if (control) letter = 0xfffd;
  }
  std::string out;
  for (const char byte : encode_utf8(plain)) {
    switch (byte) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += byte;
    }
  }
  return out;
}

}  // namespace fresco::report
