#include "fresco/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "fresco/core/unicode.h"

namespace fresco {

Error::Error(ExitStatus status, std::string_view where, std::string_view problem)
    : std::runtime_error(
          printable(where.empty() ? std::string(problem) : fmt::format("{}: {}", where, problem), std::string::npos)),
      status_(status),
      where_(where) {}

std::string expected_got(std::string_view expected, std::string_view got) {
  return fmt::format("expected {}, got {}", expected, got);
}

std::string printable(std::string_view text, size_t limit) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (out.size() >= limit) return out + "...";
    const size_t from = i;
    const char32_t letter = next_utf8(text, i);
    const auto bytes = text.substr(from, i - from);
    const bool fit = letter >= 0x20 && letter != 0x7f && (letter != 0xfffd || bytes == kReplacement);
    if (fit) out += bytes;
    for (size_t k = 0; !fit && k < bytes.size(); ++k)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[k]));
  }
  return out;
}

namespace {
// Levenshtein 1966, two rows.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}
}  // namespace

std::string nearest_name(std::string_view name, const std::string* known, size_t count) {
  std::string best;
  size_t best_distance = std::max<size_t>(1, name.size() / 3) + 1;
  for (size_t i = 0; i < count; ++i) {
    const size_t distance = edit_distance(name, known[i]);
    if (distance < best_distance) {
      best = known[i];
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace fresco
