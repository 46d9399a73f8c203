// Which samples a recipe's filters keep.
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/data/stored_samples.h"

namespace fresco::data {
namespace {

/// Kind and reason of leaving a sample out; an empty kind keeps it.
struct Verdict {
  std::string kind, reason;
};

Verdict by_size(const image::PictureSize& size, const FilterSettings& filters) {
  const auto [shorter, longer] = std::minmax(size.width, size.height);
  const std::string shown = fmt::format("{}x{} pixels", size.width, size.height);
  if (shorter < filters.min_side) return {"too small", shown};
  if (filters.max_aspect > 0 && static_cast<double>(longer) > filters.max_aspect * static_cast<double>(shorter))
    return {"too long", shown};
  return {};
}

Verdict by_caption(int64_t length, const FilterSettings& filters, bool needed) {
  if (needed && length == 0) return {"without a caption", ""};
  const std::string shown = fmt::format("{} characters", length);
  if (length < filters.min_caption) return {"with too short a caption", shown};
  if (filters.max_caption > 0 && length > filters.max_caption) return {"with too long a caption", shown};
  return {};
}

Verdict by_text(const std::string& caption, const FilterSettings& filters) {
  if (caption_has(caption, filters.caption_has)) return {};
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

class Filtering {
 public:
  Filtering(const StoredSamples& all, const SourceSettings& settings, bool needs_captions)
      : all_(all), filters_(settings.filters), needs_captions_(needs_captions) {}

  Verdict verdict(const StoredSample& sample) const {
    Verdict found = by_size(sample.picture_size, filters_);
    if (found.kind.empty()) found = by_caption(sample.caption_length, filters_, needs_captions_);
    if (found.kind.empty() && !filters_.caption_has.empty()) found = by_text_of(sample);
    if (found.kind.empty() && !filters_.score.empty()) found = by_score_of(sample);
    return found;
  }

 private:
  Verdict by_text_of(const StoredSample& sample) const {
    try {
      return by_text(stored_caption(all_.files, sample), filters_);
    } catch (const FormatError& error) {
      return {"with a broken caption", error.what()};
    }
  }

  Verdict by_score_of(const StoredSample& sample) const {
    if (!sample.json) return by_score(sample.attributes, filters_);
    try {
      return by_score(stored_json(SliceReader(all_.files[sample.json->file]), *sample.json, sample.key + ".json"),
                      filters_);
    } catch (const FormatError& error) {
      return {"with broken JSON", error.what()};
    }
  }

  const StoredSamples& all_;
  const FilterSettings& filters_;
  bool needs_captions_;
};

}  // namespace

std::vector<StoredSample> filtered(const StoredSamples& all, const SourceSettings& settings, bool needs_captions,
                                   SkipReport& report) {
  const Filtering filtering(all, settings, needs_captions);
  std::vector<StoredSample> kept;
  for (const StoredSample& sample : all.samples) {
    if (settings.count > 0 && std::ssize(kept) == settings.count) break;
    const Verdict verdict = filtering.verdict(sample);
    if (verdict.kind.empty())
      kept.push_back(sample);
    else
      report.add(sample.key, verdict.kind, verdict.reason);
  }
  return kept;
}

}  // namespace fresco::data
