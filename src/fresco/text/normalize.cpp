#include "fresco/text/normalize.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <vector>

#include "fresco/core/error.h"
#include "fresco/text/characters.h"

namespace fresco::text {
namespace {

constexpr size_t kLongestText = size_t{64} << 20;  // ICU counts in int32

void append(std::string& out, UChar32 c) {
  char bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, c);
  out.append(bytes, static_cast<size_t>(length));
}

template <typename Visit>
void each_code_point(std::string_view text, Visit visit) {
  const char* bytes = text.data();
  for (size_t at = 0; at < text.size();) {
    UChar32 c;
    U8_NEXT_OR_FFFD(bytes, at, text.size(), c);
    visit(c);
  }
}

// The marks whose decomposition begins with a mark. They never change (Unicode's stability policy).
std::u32string_view decomposed_mark(UChar32 c) {
  switch (c) {
    case 0x0344:
      return U"\u0308\u0301";
    case 0x0f73:
      return U"\u0f71\u0f72";
    case 0x0f75:
      return U"\u0f71\u0f74";
    case 0x0f81:
      return U"\u0f71\u0f80";
    default:
      return {};
  }
}

void sort_marks(std::vector<UChar32>& marks) {
  std::stable_sort(marks.begin(), marks.end(),
                   [](UChar32 a, UChar32 b) { return combining_class(a) < combining_class(b); });
}

// Canonical ordering of long runs of marks. ICU orders by insertion, quadratic in a run's length; a
// run that comes sorted costs it nothing, and the result is the same.
std::string with_ordered_marks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::vector<UChar32> run;
  const auto flush = [&] {
    sort_marks(run);
    for (const UChar32 mark : run) append(out, mark);
    run.clear();
  };
  each_code_point(text, [&](UChar32 c) {
    if (const auto parts = decomposed_mark(c); !parts.empty()) {
      run.insert(run.end(), parts.begin(), parts.end());
    } else if (combining_class(c) != 0) {
      run.push_back(c);
    } else {
      flush();
      append(out, c);
    }
  });
  flush();
  return out;
}

std::string composed(std::string_view text) {
  const std::string ordered = with_ordered_marks(text);
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<int32_t>(ordered.size()));
  UErrorCode status = U_ZERO_ERROR;
  composer().normalizeUTF8(0, icu::StringPiece(ordered.data(), static_cast<int32_t>(ordered.size())), sink, nullptr,
                           status);
  if (U_FAILURE(status)) throw ResourceError("Unicode normalisation", u_errorName(status));
  return out;
}

void append_lower(std::string& out, UChar32 c) {
  // The one code point whose lower case is two of them, whatever stands around it (Unicode,
  // SpecialCasing.txt).
  constexpr UChar32 kCapitalDottedI = 0x130;
  if (c == kCapitalDottedI) {
    out += "i\u0307";
  } else {
    append(out, lower_case_of(c));
  }
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  each_code_point(text, [&](UChar32 c) { append(out, c); });
  return out;
}

std::string Normalizer::operator()(std::string_view text) const {
  if (text.size() > kLongestText)
    throw InputError("prompt", expected_got("at most 64 MiB of text", fmt::format("{} bytes", text.size())));
  const std::string source = compose ? composed(text) : std::string(text);
  std::string out;
  out.reserve(source.size());
  bool in_space = false;
  each_code_point(source, [&](UChar32 c) {
    const bool space = one_space && kind_of(c) == Kind::space;
    if (space && !in_space) out += ' ';
    in_space = space;
    if (space) return;
    if (lower_case)
      append_lower(out, c);
    else
      append(out, c);
  });
  return out;
}

}  // namespace fresco::text
