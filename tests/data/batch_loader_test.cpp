#include "fresco/data/batch_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fresco/data/picture_loader.h"
#include "fresco/data/prefetch.h"
#include "tests/data/in_memory_pictures.h"

namespace fresco::data {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// Moments that tell which sample they are of, and whether it was mirrored.
class NumberedSamples final : public TrainingSet {
 public:
  NumberedSamples() {
    for (int64_t i = 0; i < 50; ++i) buckets_[static_cast<size_t>(i % 3 == 0)].positions.push_back(i);
  }
  int64_t size() const override { return 50; }
  const std::vector<Bucket>& buckets() const override { return buckets_; }
  Item get(int64_t position, bool mirrored) const override {
    std::this_thread::sleep_for(delay);
    if (position == broken) throw FormatError("shard", "damaged");
    const int64_t side = position % 3 == 0 ? 4 : 2;
    const double value = static_cast<double>(position) + (mirrored ? 0.5 : 0);
    return {at::full({8, side, 2}, value, position % 2 == 0 ? at::kHalf : at::kFloat),
            std::vector<int32_t>(77, static_cast<int32_t>(position))};
  }
  std::chrono::milliseconds delay{0};
  int64_t broken = -1;

 private:
  std::vector<Bucket> buckets_{{16, 16, {}}, {32, 16, {}}};
};

LoaderSettings usual() {
  return {.batch = 8,
          .seed = 11,
          .caption_dropout = 0.3,
          .empty_ids = std::vector<int32_t>(77, 1000),
          .flip = true,
          .first_step = 0,
          .end_step = 12};
}

struct Sample {
  int64_t visit;
  float value;
  int64_t word;
  bool operator==(const Sample&) const = default;
};

std::vector<Sample> samples_of(const std::vector<MicroBatch>& batches) {
  std::vector<Sample> samples;
  for (const MicroBatch& batch : batches) {
    EXPECT_EQ(batch.moments.size(0), static_cast<int64_t>(batch.visits.size()));
    EXPECT_EQ(batch.moments.scalar_type(), at::kFloat);
    EXPECT_EQ(batch.ids.sizes(), at::IntArrayRef({batch.moments.size(0), 77}));
    for (size_t i = 0; i < batch.visits.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      EXPECT_TRUE(batch.moments[at].eq(batch.moments[at].flatten()[0]).all().item<bool>());
      samples.push_back(
          {batch.visits[i], batch.moments[at].flatten()[0].item<float>(), batch.ids[at][76].item<int64_t>()});
    }
  }
  return samples;
}

std::vector<std::vector<Sample>> run(const LoaderSettings& settings) {
  const NumberedSamples set;
  const SampleOrder order(set.buckets(), settings.batch, 5);
  BatchLoader loader(set, order, settings);
  std::vector<std::vector<Sample>> steps;
  for (int64_t step = settings.first_step; step < settings.end_step; ++step) steps.push_back(samples_of(loader.next()));
  return steps;
}

TEST(BatchLoader, GivesThePicksOfEachStep) {
  const NumberedSamples set;
  const SampleOrder order(set.buckets(), 8, 5);
  const auto steps = run(usual());
  int mirrored = 0, dropped = 0;
  for (size_t step = 0; step < steps.size(); ++step) {
    const auto picks = order.picks(static_cast<int64_t>(step));
    ASSERT_EQ(steps[step].size(), picks.size());
    for (size_t i = 0; i < picks.size(); ++i) {
      const Sample& sample = steps[step][i];
      EXPECT_EQ(sample.visit, picks[i].visit);
      EXPECT_EQ(static_cast<int64_t>(sample.value), picks[i].position);
      EXPECT_TRUE(sample.word == picks[i].position || sample.word == 1000);
      mirrored += sample.value != static_cast<float>(picks[i].position);
      dropped += sample.word == 1000;
    }
  }
  // Of 96: 48 and 29, within five deviations.
  EXPECT_NEAR(mirrored, 48, 25);
  EXPECT_NEAR(dropped, 29, 23);
}

TEST(BatchLoader, NeitherProcessesNorMicroBatchesNorThreadsChangeASample) {
  const auto whole = run(usual());
  for (const int processes : {1, 2, 4})
    for (const int64_t micro : {0, 1, 3})
      for (const int threads : {1, 3}) {
        std::vector<std::vector<Sample>> together(whole.size());
        for (int rank = 0; rank < processes; ++rank) {
          auto settings = usual();
          settings.rank = rank;
          settings.processes = processes;
          settings.micro_batch = micro;
          settings.threads = threads;
          const auto part = run(settings);
          for (size_t step = 0; step < part.size(); ++step)
            together[step].insert(together[step].end(), part[step].begin(), part[step].end());
        }
        EXPECT_EQ(together, whole) << processes << " processes, micro-batches of " << micro << ", threads " << threads;
      }
}

TEST(BatchLoader, GoesOnInTheMiddle) {
  const auto whole = run(usual());
  auto settings = usual();
  settings.first_step = 7;
  const auto rest = run(settings);
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), whole.begin() + 7));
}

TEST(BatchLoader, RefusesUnevenSharesAndDropoutWithoutACaption) {
  const NumberedSamples set;
  const SampleOrder order(set.buckets(), 8, 5);
  auto settings = usual();
  settings.processes = 3;
  EXPECT_THAT([&] { BatchLoader(set, order, settings); },
              ThrowsMessage<InputError>(HasSubstr("8 samples cannot be shared out evenly among 3 processes")));
  settings = usual();
  settings.empty_ids.clear();
  EXPECT_THAT([&] { BatchLoader(set, order, settings); }, ThrowsMessage<InputError>(HasSubstr("caption_dropout")));
}

TEST(BatchLoader, BrokenSamplesComeOutWhereTheyAreTaken) {
  NumberedSamples set;
  set.broken = 10;
  const SampleOrder order(set.buckets(), 8, 5);
  BatchLoader loader(set, order, usual());
  int thrown = 0;
  for (int64_t step = 0; step < order.steps_per_epoch(); ++step) {
    try {
      EXPECT_EQ(samples_of(loader.next()).size(), 8u);
    } catch (const FormatError&) {
      ++thrown;
    }
  }
  EXPECT_LE(thrown, 1);
}

TEST(BatchLoader, EndsWhileItsThreadsAreAtWork) {
  NumberedSamples set;
  set.delay = std::chrono::milliseconds(1);
  const SampleOrder order(set.buckets(), 8, 5);
  for (int taken = 0; taken < 4; ++taken) {
    BatchLoader loader(set, order, usual());
    for (int i = 0; i < taken; ++i) loader.next();
  }
}

TEST(Prefetch, MakesNoMoreThanItMayAndInOrder) {
  std::atomic<int64_t> made = 0;
  Prefetch<int64_t> numbers(3, 30, 4, 5, [&](int64_t i) {
    ++made;
    return i * i;
  });
  for (int64_t i = 3; i < 30; ++i) {
    EXPECT_FALSE(numbers.at_end());
    EXPECT_EQ(numbers.next(), i * i);
    EXPECT_LE(made.load(), i - 3 + 1 + 5);
  }
  EXPECT_TRUE(numbers.at_end());
}

TEST(Prefetch, TellsHowLongItWaited) {
  const auto slow = [](int64_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return i;
  };
  Prefetch<int64_t> numbers(0, 2, 1, 1, slow);
  numbers.next();
  numbers.next();
  EXPECT_GT(numbers.seconds_waited(), 0.02);
}

TEST(PictureLoader, CutsAnotherSquareAtEachVisit) {
  const InMemoryPictures set({{40, 64, 20}});
  const SampleOrder order(set.buckets(), 4, 2);
  const auto load = [&](int rank, int processes) {
    PictureLoader loader(set, order,
                         {.batch = 4,
                          .micro_batch = 2,
                          .seed = 3,
                          .rank = rank,
                          .processes = processes,
                          .crop = 32,
                          .flip = true,
                          .first_step = 0,
                          .end_step = 10});
    std::vector<at::Tensor> steps;
    for (int i = 0; i < 10; ++i)
      for (const auto& batch : loader.next()) steps.push_back(batch.pictures);
    return steps;
  };
  const auto whole = load(0, 1), first = load(0, 2), second = load(1, 2);
  ASSERT_EQ(whole.size(), 20u);
  EXPECT_EQ(whole[0].sizes(), at::IntArrayRef({2, 3, 32, 32}));
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_TRUE(at::equal(whole[2 * i], first[i]));
    EXPECT_TRUE(at::equal(whole[2 * i + 1], second[i]));
  }
}

TEST(PictureLoader, CropsAreOfTheirPicture) {
  const InMemoryPictures set({{40, 48, 6}});
  const SampleOrder order(set.buckets(), 3, 2);
  PictureLoader loader(set, order, {.batch = 3, .seed = 3, .crop = 32, .first_step = 0, .end_step = 4});
  for (int step = 0; step < 4; ++step)
    for (const auto& batch : loader.next())
      for (int64_t i = 0; i < 3; ++i) {
        const auto whole = set.picture(batch.positions[static_cast<size_t>(i)], false);
        bool found = false;
        for (int64_t top = 0; top <= 8 && !found; ++top)
          for (int64_t left = 0; left <= 16 && !found; ++left)
            found = at::equal(whole.slice(1, top, top + 32).slice(2, left, left + 32), batch.pictures[i]);
        EXPECT_TRUE(found);
      }
}

TEST(PictureLoader, ReplacesWhatCannotBeRead) {
  InMemoryPictures set({{32, 32, 8}});
  set.broken[5] = "truncated JPEG";
  const SampleOrder order(set.buckets(), 8, 2);
  const PictureLoaderSettings settings{.batch = 8, .seed = 3, .first_step = 0, .end_step = 3};
  PictureLoader loader(set, order, settings), again(set, order, settings);
  for (int step = 0; step < 3; ++step) {
    const auto batch = loader.next().front(), same = again.next().front();
    EXPECT_TRUE(at::equal(batch.pictures, same.pictures));
    EXPECT_THAT(batch.positions, testing::Each(testing::Ne(5)));
    ASSERT_GE(batch.skipped.size(), 1u);
    EXPECT_EQ(batch.skipped[0].key, "sample-5");
    EXPECT_THAT(batch.skipped[0].reason, HasSubstr("truncated JPEG"));
  }
  for (int64_t i = 0; i < 8; ++i) set.broken[i] = "no picture";
  PictureLoader hopeless(set, order, settings);
  EXPECT_THROW(hopeless.next(), FormatError);
  EXPECT_THAT([&] { PictureLoader(set, order, {.batch = 8, .crop = 64, .end_step = 1}); },
              ThrowsMessage<InputError>(HasSubstr("expected at most the sides of the pictures, 32x32, got 64")));
}

}  // namespace
}  // namespace fresco::data
