#include "fresco/ops/memory/arena.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

namespace fresco::test {
namespace {

using ops::Arena;
using ops::ScopedArena;

constexpr int64_t kMiB = int64_t{1} << 20;

at::Tensor floats(int64_t bytes) { return ops::empty({bytes / 4}, at::dtype(at::kFloat)); }
int64_t place(const at::Tensor& t) { return reinterpret_cast<int64_t>(t.const_data_ptr()); }

TEST(Arena, ServesOnlyItsOwnThreadWhileItIsCurrent) {
  const Arena arena;
  floats(kMiB);
  EXPECT_EQ(arena.counts().blocks, 0) << "not current yet";
  {
    const ScopedArena scope(&arena);
    std::thread([] { floats(kMiB); }).join();
    EXPECT_EQ(arena.counts().blocks, 0) << "current on another thread";
    {
      const ScopedArena none(nullptr);
      floats(kMiB);
    }
    EXPECT_EQ(arena.counts().blocks, 0) << "suspended";
    floats(kMiB);
    EXPECT_EQ(arena.counts().blocks, 1);
    floats(ops::kArenaBlock / 2);
    EXPECT_EQ(arena.counts().blocks, 1) << "small ones are the system's";
  }
  floats(kMiB);
  EXPECT_EQ(arena.counts().blocks, 1) << "no longer current";
}

TEST(Arena, LaysTensorsOutAsAsked) {
  const Arena arena;
  const ScopedArena scope(&arena);
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    const std::vector<int64_t> sizes{2, 3, 65, 67};
    const auto got = ops::empty(sizes, at::dtype(at::kBFloat16), format);
    const auto expected = at::empty(sizes, at::dtype(at::kBFloat16), format);
    EXPECT_EQ(got.sizes(), expected.sizes());
    EXPECT_EQ(got.strides(), expected.strides());
    EXPECT_EQ(got.scalar_type(), expected.scalar_type());
    EXPECT_EQ(place(got) % ops::kArenaBlock, 0);
  }
  EXPECT_EQ(arena.counts().blocks, 2);
  EXPECT_EQ(ops::empty({0, 5}, at::dtype(at::kFloat)).numel(), 0);
}

TEST(Arena, CopiesKeepValuesAndTensorsThatFitAreNotCopied) {
  const Arena arena;
  const ScopedArena scope(&arena);
  const auto x = at::randn({2, 8, 33, 31});
  const auto pixels = ops::contiguous(x, at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(at::equal(pixels, x));
  EXPECT_TRUE(pixels.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(ops::contiguous(pixels, at::MemoryFormat::ChannelsLast).is_same(pixels));
  const auto half = ops::to_type(pixels, at::kHalf);
  EXPECT_TRUE(at::equal(half, pixels.to(at::kHalf)));
  EXPECT_EQ(half.strides(), pixels.strides());
  EXPECT_TRUE(ops::to_type(half, at::kHalf).is_same(half));
  EXPECT_EQ(arena.counts().blocks, 2);
}

TEST(Arena, TakesTheSmallestRoomThatFitsAndMergesNeighbours) {
  const Arena arena(64 * kMiB);
  const ScopedArena scope(&arena);
  auto a = floats(3 * kMiB), b = floats(kMiB), c = floats(2 * kMiB), d = floats(kMiB);
  const int64_t first = place(a), third = place(c);
  a.reset();
  c.reset();
  EXPECT_EQ(place(floats(2 * kMiB)), third) << "3 MiB are free below it, but 2 MiB fit better";
  b.reset();
  const auto merged = floats(6 * kMiB);
  EXPECT_EQ(place(merged), first) << "three neighbours came back, in no order";
  const auto counts = arena.counts();
  EXPECT_EQ(counts.ranges, 1);
  EXPECT_EQ(counts.touched, 7 * kMiB);
  EXPECT_EQ(counts.live, 7 * kMiB);
  EXPECT_EQ(counts.peak, 7 * kMiB);
}

TEST(Arena, GrowsWhenARequestDoesNotFit) {
  const Arena arena(16 * kMiB);
  const ScopedArena scope(&arena);
  const auto a = floats(10 * kMiB), b = floats(10 * kMiB);
  EXPECT_EQ(arena.counts().ranges, 2);
  const auto c = floats(6 * kMiB);
  EXPECT_EQ(arena.counts().ranges, 2) << "what is left of a range still serves";
  EXPECT_THROW(floats(int64_t{1} << 56), std::bad_alloc);
}

TEST(Arena, TensorsOutliveIt) {
  at::Tensor survivor;
  {
    const Arena arena;
    const ScopedArena scope(&arena);
    survivor = floats(4 * kMiB).fill_(7);
  }
  EXPECT_EQ(survivor.sum().item<float>(), 7.0f * kMiB);
}

// Many blocks of many sizes that come and go; each holds its own number, so that blocks that overlap would show.
void churn(unsigned seed, int rounds) {
  std::mt19937 random(seed);
  std::vector<std::pair<at::Tensor, float>> held;
  for (int i = 0; i < rounds; ++i) {
    if (held.size() > 20 || (!held.empty() && random() % 3 == 0)) {
      const size_t k = random() % held.size();
      const auto& [tensor, value] = held[k];
      ASSERT_TRUE((tensor == value).all().item<bool>());
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(k));
    } else {
      const auto value = static_cast<float>(random() % 1000);
      held.emplace_back(floats(4 * (1 + static_cast<int64_t>(random() % 50'000))).fill_(value), value);
    }
  }
}

TEST(Arena, BlocksOfSeveralThreadsNeverOverlap) {
  const Arena arena;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&arena, t] {
      const ScopedArena scope(&arena);
      churn(t, 500);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(arena.counts().live, 0);
  const ScopedArena scope(&arena);
  const int64_t ranges = arena.counts().ranges;
  floats(12 * kMiB);
  EXPECT_EQ(arena.counts().ranges, ranges) << "everything merged again";
}

}  // namespace
}  // namespace fresco::test
