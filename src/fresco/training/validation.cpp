#include "fresco/training/validation.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <chrono>

#include "fresco/data/permutation.h"
#include "fresco/data/random_tensors.h"
#include "fresco/text/text_encoder.h"
#include "fresco/unet/unet.h"
#include "fresco/vae/vae.h"

namespace fresco::training {
namespace {

constexpr int64_t kBands = 4;
constexpr int64_t kAtOnce = 16;
constexpr int64_t kMostShare = 10;  // of a bucket, a tenth

struct Networks {
  unet::UNet unet;
  text::TextEncoder text;
};

// As they draw: averages, packed.
Networks networks_of(const TrainingModel& model) {
  const layers::Preparation preparation{.device = model.parameters(Network::unet).values().device()};
  const auto files = model.files(/*half=*/false);
  const auto weights = [&](const checkpoint::Part& part) {
    return layers::CheckpointWeights(part.tensors, preparation);
  };
  return {{model.specs().unet, weights(files.unet), preparation},
          {model.specs().text, weights(files.text_encoder), preparation}};
}

// A few samples of one size, with what is fixed for each of them.
struct Group {
  std::vector<data::Item> items;
  std::vector<int64_t> numbers;  // among all
  std::vector<int64_t> times;
};

class Validation {
 public:
  explicit Validation(const ValidationNeeds& needs)
      : needs_(needs), networks_(networks_of(needs.model)), sums_(kBands), counts_(kBands) {
    for (const auto& bucket : needs.samples) total_ += static_cast<int64_t>(bucket.positions.size());
  }

  TrainEvent run() {
    int64_t number = 0;
    for (const auto& bucket : needs_.samples) {
      Group group;
      for (const int64_t position : bucket.positions) {
        group.items.push_back(needs_.set.get(position, /*mirrored=*/false));
        group.numbers.push_back(number);
        group.times.push_back((2 * number + 1) * train_steps() / (2 * total_));
        ++number;
        if (static_cast<int64_t>(group.items.size()) == kAtOnce || position == bucket.positions.back())
          add(std::exchange(group, {}));
      }
    }
    return event();
  }

 private:
  int64_t train_steps() const { return needs_.phase.noise.train_steps; }

  void add(const Group& group) {
    std::vector<at::Tensor> moments, ids;
    for (const auto& item : group.items) {
      moments.push_back(item.moments.to(at::kFloat));
      ids.push_back(at::tensor(at::ArrayRef<int32_t>(item.ids), at::kInt).to(at::kLong));
    }
    const auto device = needs_.model.parameters(Network::unet).values().device();
    const auto whole = at::stack(moments).to(device);
    auto shape = whole.sizes().slice(1).vec();
    shape[0] /= 2;
    const auto normal = [&](data::Purpose purpose) {
      return data::normal(needs_.seed, purpose, group.numbers, shape).to(device);
    };
    const auto latents = vae::sample_posterior(whole, normal(data::Purpose::validation_posterior)) *
                         needs_.model.specs().vae.scaling_factor;
    const auto times = at::tensor(group.times, at::kLong).to(device);
    const auto given =
        noised(needs_.tables, needs_.phase.loss.prediction, latents, normal(data::Purpose::validation_noise), times);
    const auto context = networks_.text.forward(at::stack(ids));
    const auto predicted = networks_.unet.forward(given.noisy, times.to(at::kFloat), networks_.unet.bind(context));
    const auto errors = given.weight * (predicted - given.target).square().mean({1, 2, 3});
    for (size_t i = 0; i < group.times.size(); ++i) {
      const auto band = static_cast<size_t>(group.times[i] * kBands / train_steps());
      sums_[band] += errors[static_cast<int64_t>(i)].item<double>();
      ++counts_[band];
    }
  }

  TrainEvent event() const {
    TrainEvent event{.kind = EventKind::validation};
    double sum = 0;
    for (int64_t band = 0; band < kBands; ++band) {
      const auto at = static_cast<size_t>(band);
      sum += sums_[at];
      if (counts_[at] == 0) continue;
      event.bands.push_back({band * train_steps() / kBands, (band + 1) * train_steps() / kBands - 1,
                             sums_[at] / static_cast<double>(counts_[at])});
    }
    event.value = sum / static_cast<double>(total_);
    return event;
  }

  const ValidationNeeds& needs_;
  Networks networks_;
  int64_t total_ = 0;
  std::vector<double> sums_;
  std::vector<int64_t> counts_;
};

}  // namespace

int64_t ValidationSplit::kept_out_count() const {
  int64_t count = 0;
  for (const auto& bucket : kept_out) count += static_cast<int64_t>(bucket.positions.size());
  return count;
}

ValidationSplit split_for_validation(const std::vector<data::Bucket>& buckets, int64_t count, uint64_t seed) {
  ValidationSplit split;
  int64_t all = 0;
  for (const auto& bucket : buckets) all += static_cast<int64_t>(bucket.positions.size());
  for (const auto& bucket : buckets) {
    const auto size = static_cast<int64_t>(bucket.positions.size());
    const int64_t kept = all == 0 ? 0 : std::min(count * size / all, size / kMostShare);
    data::Bucket training{bucket.height, bucket.width, {}}, out = training;
    const data::Permutation chosen(static_cast<uint64_t>(size), data::derived_seed(seed, split.training.size()));
    for (int64_t i = 0; i < size; ++i) {
      const auto position = bucket.positions[static_cast<size_t>(chosen(static_cast<uint64_t>(i)))];
      (i < kept ? out : training).positions.push_back(position);
    }
    std::ranges::sort(training.positions);
    std::ranges::sort(out.positions);
    split.training.push_back(std::move(training));
    if (kept > 0) split.kept_out.push_back(std::move(out));
  }
  return split;
}

TrainEvent validation_loss(const ValidationNeeds& needs) {
  const auto begin = std::chrono::steady_clock::now();
  const c10::InferenceMode no_gradients;
  auto event = Validation(needs).run();
  event.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return event;
}

}  // namespace fresco::training
