#include "fresco/data/filters.h"

#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/ascii.h"
#include "fresco/core/error.h"

namespace fresco::data {

Verdict by_size(const image::PictureSize& size, const FilterSettings& filters) {
  const auto [shorter, longer] = std::minmax(size.width, size.height);
  const std::string shown = fmt::format("{}x{} pixels", size.width, size.height);
  if (shorter < filters.min_side) return {"too small", shown};
  if (filters.max_aspect > 0 && static_cast<double>(longer) > filters.max_aspect * static_cast<double>(shorter))
    return {"too long", shown};
  return {};
}

Verdict by_length(int64_t characters, const FilterSettings& filters, bool needed) {
  if (needed && characters == 0) return {"without a caption", ""};
  const std::string shown = fmt::format("{} characters", characters);
  if (characters < filters.min_caption) return {"with too short a caption", shown};
  if (filters.max_caption > 0 && characters > filters.max_caption) return {"with too long a caption", shown};
  return {};
}

Verdict by_words(const std::string& caption, const FilterSettings& filters) {
  if (lower_ascii(caption).find(lower_ascii(filters.caption_has)) != caption.npos) return {};
  return {"with another caption", fmt::format("no \"{}\" in it", printable(filters.caption_has))};
}

Verdict by_score(const Json& json, const FilterSettings& filters) {
  const auto found = json.is_object() ? json.find(filters.score) : json.end();
  if (!json.is_object() || found == json.end() || !found->is_number())
    return {"without a score", fmt::format("no number \"{}\" in its JSON", printable(filters.score))};
  const double score = found->get<double>();
  const std::string shown = fmt::format("{} {}", printable(filters.score), score);
  if (filters.min_score && score < *filters.min_score) return {"with too low a score", shown};
  if (filters.max_score && score > *filters.max_score) return {"with too high a score", shown};
  return {};
}

}  // namespace fresco::data
