#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fresco/core/observer.h"
#include "fresco/data/source.h"
#include "fresco/data/training_set.h"

namespace fresco::data {

/// Pictures of one or more sources, one after the other, each brought to the size of its bucket. Positions and buckets are the same whenever
/// it is opened on the same data: sizes come from the pictures' first bytes, pixels are read when they are asked for.
class PictureFiles : public PictureSet {
 public:
  /// Errors: see open_source and bucket_sizes.
  PictureFiles(const std::vector<SourceSettings>& sources, const FitSettings& fit, const SourceContext& context = {},
               Observer& observer = no_observer());

  int64_t size() const override { return starts_.back(); }
  const std::vector<Bucket>& buckets() const override { return buckets_; }
  std::string key(int64_t position) const override;
  at::Tensor picture(int64_t position, bool mirrored) const override;
  std::string caption(int64_t position) const override;
  Json attributes(int64_t position) const override;

  /// What was found and not taken.
  const SkipReport& skipped() const { return report_; }

 private:
  std::pair<const Source*, int64_t> at(int64_t position) const;
  void fill_buckets(const FitSettings& fit);

  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<int64_t> starts_{0};  // of each source, and the end
  std::vector<Bucket> buckets_;
  std::vector<uint32_t> bucket_of_;  // by position
  SkipReport report_;
};

}  // namespace fresco::data
