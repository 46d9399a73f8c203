// Which samples a recipe's filters keep.
#include "fresco/core/error.h"
#include "fresco/data/filters.h"
#include "fresco/data/stored_samples.h"

namespace fresco::data {
namespace {

class Filtering {
 public:
  Filtering(const StoredSamples& all, const SourceSettings& settings, bool needs_captions)
      : all_(all), filters_(settings.filters), needs_captions_(needs_captions) {}

  Verdict verdict(const StoredSample& sample) const {
    Verdict found = by_size(sample.picture_size, filters_);
    if (found.kind.empty()) found = by_length(sample.caption_length, filters_, needs_captions_);
    if (found.kind.empty() && !filters_.caption_has.empty()) found = by_words_of(sample);
    if (found.kind.empty() && !filters_.score.empty()) found = by_score_of(sample);
    return found;
  }

 private:
  Verdict by_words_of(const StoredSample& sample) const {
    try {
      return by_words(stored_caption(all_.files, sample), filters_);
    } catch (const FormatError& error) {
      return {"with a broken caption", error.what()};
    }
  }

  Verdict by_score_of(const StoredSample& sample) const {
    if (!sample.json) return by_score(sample.attributes, filters_);
    try {
      return by_score(stored_json(reader_of(all_.files, *sample.json), *sample.json, sample.key + ".json"), filters_);
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
