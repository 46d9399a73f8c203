#pragma once
// A small set of pictures that are drawn as they are asked for.
#include <ATen/ATen.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "fresco/core/error.h"
#include "fresco/data/counter_random.h"
#include "fresco/data/training_set.h"

namespace fresco::data {

class InMemoryPictures final : public PictureSet {
 public:
  struct Size {
    int64_t height, width, samples;
  };
  explicit InMemoryPictures(const std::vector<Size>& sizes) {
    for (const Size& size : sizes) {
      Bucket bucket{size.height, size.width, {}};
      for (int64_t i = 0; i < size.samples; ++i) {
        bucket.positions.push_back(count_++);
        bucket_of_.push_back(buckets_.size());
      }
      buckets_.push_back(std::move(bucket));
    }
  }
  int64_t size() const override { return count_; }
  const std::vector<Bucket>& buckets() const override { return buckets_; }
  std::string key(int64_t position) const override { return "sample-" + std::to_string(position); }
  std::string caption(int64_t position) const override {
    return captions.contains(position) ? captions.at(position) : "picture " + std::to_string(position);
  }
  Json attributes(int64_t) const override { return nullptr; }
  at::Tensor picture(int64_t position, bool mirrored) const override {
    std::this_thread::sleep_for(delay);
    if (broken.contains(position)) throw FormatError(key(position), broken.at(position));
    const Bucket& bucket = buckets_[bucket_of_[static_cast<size_t>(position)]];
    // A ramp and a spot: every pixel differs, and so do a picture and its mirror.
    at::Tensor values = at::empty({3, bucket.height, bucket.width}, at::kFloat);
    auto* data = values.data_ptr<float>();
    for (int64_t i = 0; i < values.numel(); ++i)
      data[i] = static_cast<float>(i % bucket.width) / static_cast<float>(bucket.width) -
                static_cast<float>((i / bucket.width + position) % 7) / 7.0f;
    data[uniform_below({1, Purpose::crop, position}, static_cast<uint64_t>(values.numel()))] = 1;
    return mirrored ? values.flip({2}) : values;
  }

  std::map<int64_t, std::string> captions, broken;  // broken: why
  std::chrono::milliseconds delay{0};

 private:
  int64_t count_ = 0;
  std::vector<Bucket> buckets_;
  std::vector<size_t> bucket_of_;
};

}  // namespace fresco::data
