#pragma once
// Unicode's data in the versions that transformers' fast tokenizer (tokenizers 0.22) works with,
// whatever ICU the system has: 16.0 for kinds of characters and lower case, 9.0 for normalisation.
// Measured over all code points.
#include <unicode/normalizer2.h>
#include <unicode/utypes.h>

#include <cstdint>

namespace fresco::text {

enum class Kind { letter, number, space, other };

Kind kind_of(UChar32 c);

/// The lower case of one code point where it is one code point (U+0130 is the exception).
UChar32 lower_case_of(UChar32 c);

/// Canonical combining class; 0 for what came after Unicode 9.0.
uint8_t combining_class(UChar32 c);

/// Normalisation form C of Unicode 9.0: later characters stay as they are and compose with nothing.
/// Errors: ResourceError (ICU's data cannot be had).
const icu::Normalizer2& composer();

}  // namespace fresco::text
