#include "fresco/data/picture_files.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/data/fit.h"

namespace fresco::data {
namespace {

constexpr float kHalfRange = 127.5F;  // 0..255 to -1..1

/// [3, H, W] in -1..1.
at::Tensor planes(const image::Picture& picture, bool mirrored) {
  at::Tensor out = at::empty({3, picture.height, picture.width}, at::kFloat);
  auto* to = out.data_ptr<float>();
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t row = 0; row < picture.height; ++row) {
      for (int64_t column = 0; column < picture.width; ++column) {
        const int64_t from = mirrored ? picture.width - 1 - column : column;
        *to++ = static_cast<float>(picture.at(row, from)[c]) / kHalfRange - 1;
      }
    }
  }
  return out;
}

}  // namespace

PictureFiles::PictureFiles(const std::vector<SourceSettings>& sources, const FitSettings& fit,
                           const SourceContext& context, Observer& observer) {
  if (sources.empty()) throw InputError("data", "expected at least one source of pictures, got none");
  for (const SourceSettings& settings : sources) {
    sources_.push_back(open_source(settings, context, report_, observer));
    starts_.push_back(starts_.back() + sources_.back()->size());
  }
  fill_buckets(fit);
}

void PictureFiles::fill_buckets(const FitSettings& fit) {
  const auto sizes = bucket_sizes(fit);
  std::vector<std::vector<int64_t>> positions(sizes.size());
  for (int64_t position = 0; position < size(); ++position) {
    const auto [source, index] = at(position);
    positions[nearest_bucket(sizes, source->picture_size(index))].push_back(position);
  }
  bucket_of_.resize(static_cast<size_t>(size()));
  for (size_t k = 0; k < sizes.size(); ++k) {
    if (positions[k].empty()) continue;
    for (const int64_t position : positions[k])
      bucket_of_[static_cast<size_t>(position)] = static_cast<uint32_t>(buckets_.size());
    buckets_.push_back({sizes[k].height, sizes[k].width, std::move(positions[k])});
  }
}

std::pair<const Source*, int64_t> PictureFiles::at(int64_t position) const {
  const auto past = std::ranges::upper_bound(starts_, position);
  const auto source = static_cast<size_t>(past - starts_.begin()) - 1;
  return {sources_.at(source).get(), position - starts_[source]};
}

std::string PictureFiles::key(int64_t position) const {
  const auto [source, index] = at(position);
  return source->key(index);
}

at::Tensor PictureFiles::picture(int64_t position, bool mirrored) const {
  const auto [source, index] = at(position);
  const Bucket& bucket = buckets_[bucket_of_.at(static_cast<size_t>(position))];
  const image::PictureSize target{bucket.width, bucket.height};
  const image::Picture read = source->picture(index, covering(source->picture_size(index), target));
  return planes(fitted(read, target), mirrored);
}

std::string PictureFiles::caption(int64_t position) const {
  const auto [source, index] = at(position);
  return source->caption(index);
}

Json PictureFiles::attributes(int64_t position) const {
  const auto [source, index] = at(position);
  return source->attributes(index);
}

}  // namespace fresco::data
