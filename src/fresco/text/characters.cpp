#include "fresco/text/characters.h"

#include <unicode/uchar.h>
#include <unicode/uniset.h>

#include <algorithm>
#include <array>

#include "fresco/core/error.h"

namespace fresco::text {
namespace {

struct Range {
  UChar32 first, last;
};

// Letters and numbers of Unicode 15.1 and 16.0, which ICU before 76 does not know.
constexpr auto kNewLetters = std::to_array<Range>({
    {0x1c89, 0x1c8a},   {0xa7cb, 0xa7cd},   {0xa7da, 0xa7dc},   {0x105c0, 0x105f3}, {0x10d4a, 0x10d65},
    {0x10d6f, 0x10d85}, {0x10ec2, 0x10ec4}, {0x11380, 0x11389}, {0x1138b, 0x1138b}, {0x1138e, 0x1138e},
    {0x11390, 0x113b5}, {0x113b7, 0x113b7}, {0x113d1, 0x113d1}, {0x113d3, 0x113d3}, {0x11bc0, 0x11be0},
    {0x13460, 0x143fa}, {0x16100, 0x1611d}, {0x16d40, 0x16d6c}, {0x18cff, 0x18cff}, {0x1e5d0, 0x1e5ed},
    {0x1e5f0, 0x1e5f0}, {0x2ebf0, 0x2ee5d},
});
constexpr auto kNewNumbers = std::to_array<Range>({
    {0x10d40, 0x10d49},
    {0x116d0, 0x116e3},
    {0x11bf0, 0x11bf9},
    {0x16130, 0x16139},
    {0x16d70, 0x16d79},
    {0x1ccf0, 0x1ccf9},
    {0x1e5f1, 0x1e5fa},
});

// Their capitals.
struct CapitalRange {
  UChar32 first, last, small_of_first;
};
constexpr auto kNewCapitals = std::to_array<CapitalRange>({
    {0x1c89, 0x1c89, 0x1c8a},
    {0xa7cb, 0xa7cb, 0x264},
    {0xa7cc, 0xa7cc, 0xa7cd},
    {0xa7da, 0xa7da, 0xa7db},
    {0xa7dc, 0xa7dc, 0x19b},
    {0x10d50, 0x10d65, 0x10d70},
});

constexpr auto holds(UChar32 c) {
  return [c](const auto& range) { return range.first <= c && c <= range.last; };
}

bool came_after(UChar32 c, int version) {
  UVersionInfo age;
  u_charAge(c, age);
  return age[0] > version || (age[0] == version && age[1] > 0);
}

bool is_new_to_icu(UChar32 c) { return u_charType(c) == U_UNASSIGNED; }

constexpr int kKindsVersion = 16;
constexpr int kComposerVersion = 9;

}  // namespace

Kind kind_of(UChar32 c) {
  if (is_new_to_icu(c)) {
    if (std::any_of(kNewLetters.begin(), kNewLetters.end(), holds(c))) return Kind::letter;
    return std::any_of(kNewNumbers.begin(), kNewNumbers.end(), holds(c)) ? Kind::number : Kind::other;
  }
  const uint32_t category = U_GET_GC_MASK(c);
  if (category & (U_GC_L_MASK | U_GC_N_MASK)) {
    if (came_after(c, kKindsVersion)) return Kind::other;
    return category & U_GC_L_MASK ? Kind::letter : Kind::number;
  }
  return u_isUWhiteSpace(c) ? Kind::space : Kind::other;
}

UChar32 lower_case_of(UChar32 c) {
  if (is_new_to_icu(c)) {
    const auto found = std::find_if(kNewCapitals.begin(), kNewCapitals.end(), holds(c));
    return found == kNewCapitals.end() ? c : found->small_of_first + (c - found->first);
  }
  return came_after(c, kKindsVersion) ? c : u_tolower(c);
}

uint8_t combining_class(UChar32 c) { return came_after(c, kComposerVersion) ? 0 : u_getCombiningClass(c); }

const icu::Normalizer2& composer() {
  struct Composer {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeSet characters{u"[:age=9.0:]", status};
    icu::FilteredNormalizer2 normalizer{*icu::Normalizer2::getNFCInstance(status), characters};
  };
  static const Composer instance;
  if (U_FAILURE(instance.status)) throw ResourceError("Unicode normalisation", u_errorName(instance.status));
  return instance.normalizer;
}

}  // namespace fresco::text
