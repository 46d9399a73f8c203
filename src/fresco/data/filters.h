#pragma once
// What a recipe's filters say of one sample, whatever source it comes from.
#include <cstdint>
#include <string>

#include "fresco/core/json.h"
#include "fresco/data/source_settings.h"
#include "fresco/image/picture_size.h"

namespace fresco::data {

/// Kind and reason of leaving a sample out; an empty kind keeps it.
struct Verdict {
  std::string kind, reason;
};

Verdict by_size(const image::PictureSize& size, const FilterSettings& filters);
/// Of a caption of so many characters; needed: 0, which is none, will not do.
Verdict by_length(int64_t characters, const FilterSettings& filters, bool needed);
/// Letters of ASCII in upper or lower case.
Verdict by_words(const std::string& caption, const FilterSettings& filters);
/// json: the sample's attributes, or null.
Verdict by_score(const Json& json, const FilterSettings& filters);

}  // namespace fresco::data
