#include "fresco/data/picture_loader.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/data/counter_random.h"
#include "fresco/data/prefetch.h"

namespace fresco::data {
namespace {

constexpr uint32_t kMostReplacements = 20;  // of one sample, before the data are given up

std::vector<uint32_t> buckets_by_position(const PictureSet& set) {
  std::vector<uint32_t> buckets(static_cast<size_t>(set.size()));
  for (size_t b = 0; b < set.buckets().size(); ++b)
    for (const int64_t position : set.buckets()[b].positions)
      buckets[static_cast<size_t>(position)] = static_cast<uint32_t>(b);
  return buckets;
}

void require_crop(const PictureSet& set, int64_t crop) {
  for (const Bucket& bucket : set.buckets())
    if (!bucket.positions.empty() && std::min(bucket.height, bucket.width) < crop)
      throw InputError("crop", fmt::format("expected at most the sides of the pictures, {}x{}, got {}", bucket.width,
                                           bucket.height, crop));
}

// Rows of `from` [3, H, W] from (top, left) on fill `to` [3, rows, columns].
void copy_crop(const at::Tensor& from, int64_t top, int64_t left, at::IntArrayRef size, float* to) {
  for (int64_t channel = 0; channel < size[0]; ++channel)
    for (int64_t row = 0; row < size[1]; ++row, to += size[2])
      std::copy_n(from.const_data_ptr<float>() + (channel * from.size(1) + top + row) * from.size(2) + left, size[2],
                  to);
}

}  // namespace

struct PictureLoader::Impl {
  Impl(const PictureSet& pictures, const SampleOrder& picks, const PictureLoaderSettings& given)
      : set(pictures),
        order(picks),
        settings(given),
        bucket_of(buckets_by_position(pictures)),
        steps(settings.first_step, settings.end_step, settings.threads, settings.ahead,
              [this](int64_t step) { return make(step); }) {}

  std::vector<PictureBatch> make(int64_t step) const {
    const c10::NoGradGuard no_gradients;
    const auto all = order.picks(step);
    const auto mine = share_of(all, settings.rank, settings.processes);
    std::vector<PictureBatch> batches;
    for (const auto micro : micro_batches(mine, settings.micro_batch)) batches.push_back(gather(micro));
    return batches;
  }

  PictureBatch gather(std::span<const Pick> picks) const {
    const Bucket& bucket = set.buckets()[bucket_of[static_cast<size_t>(picks.front().position)]];
    const int64_t height = settings.crop > 0 ? settings.crop : bucket.height;
    const int64_t width = settings.crop > 0 ? settings.crop : bucket.width;
    PictureBatch batch;
    batch.pictures = at::empty({static_cast<int64_t>(picks.size()), 3, height, width}, at::kFloat);
    float* to = batch.pictures.data_ptr<float>();
    for (const Pick& pick : picks) {
      const auto [position, picture] = usable(pick, bucket, batch.skipped);
      const RandomKey key{settings.seed, Purpose::crop, pick.visit};
      const auto top = static_cast<int64_t>(uniform_below(key, static_cast<uint64_t>(bucket.height - height + 1), 0));
      const auto left = static_cast<int64_t>(uniform_below(key, static_cast<uint64_t>(bucket.width - width + 1), 1));
      copy_crop(picture, top, left, {3, height, width}, to);
      to += 3 * height * width;
      batch.positions.push_back(position);
      batch.visits.push_back(pick.visit);
    }
    return batch;
  }

  struct Usable {
    int64_t position;
    at::Tensor picture;  // [3, H, W] contiguous
  };
  Usable usable(const Pick& pick, const Bucket& bucket, std::vector<SkippedSample>& skipped) const {
    const bool mirrored = settings.flip && uniform({settings.seed, Purpose::flip, pick.visit}) < 0.5;
    int64_t position = pick.position;
    for (uint32_t attempt = 0;; ++attempt) {
      try {
        at::Tensor picture = set.picture(position, mirrored);
        if (picture.sizes() == at::IntArrayRef({3, bucket.height, bucket.width}))
          return {position, picture.contiguous()};
        throw FormatError(set.key(position), fmt::format("expected a picture of {}x{}", bucket.width, bucket.height));
      } catch (const FormatError& error) {
        skipped.push_back({set.key(position), error.what()});
        if (attempt + 1 == kMostReplacements) throw;
      }
      const RandomKey key{settings.seed, Purpose::replacement, pick.visit};
      position = bucket.positions[uniform_below(key, bucket.positions.size(), attempt)];
    }
  }

  const PictureSet& set;
  const SampleOrder& order;
  PictureLoaderSettings settings;
  std::vector<uint32_t> bucket_of;
  Prefetch<std::vector<PictureBatch>> steps;  // last: its threads read the rest
};

PictureLoader::PictureLoader(const PictureSet& set, const SampleOrder& order, const PictureLoaderSettings& settings) {
  require_crop(set, settings.crop);
  require_even(settings.batch, settings.processes);
  impl_ = std::make_unique<Impl>(set, order, settings);
}
PictureLoader::~PictureLoader() = default;

std::vector<PictureBatch> PictureLoader::next() { return impl_->steps.next(); }
double PictureLoader::seconds_waited() const { return impl_->steps.seconds_waited(); }

}  // namespace fresco::data
