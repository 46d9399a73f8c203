// Every exchange against the obvious result.
#include "fresco/training/workers.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "fresco/core/error.h"
#include "tests/training/processes.h"

namespace fresco::training {
namespace {

using test::expect_processes_pass;
using test::is_worker;

class Exchanges : public testing::TestWithParam<int> {};

at::Tensor random_of(int rank) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(static_cast<uint64_t>(rank + 1));
  return at::randn({1000003}, generator);
}

void check_tensors(const Workers& workers) {
  const int size = workers.size(), rank = workers.rank();
  // Several at once, as buckets do it.
  std::vector<at::Tensor> tensors;
  std::vector<Pending> pending;
  for (int i = 0; i < 5; ++i) {
    tensors.push_back(at::arange(1 + 1000 * i, at::kFloat) + static_cast<float>(rank));
    pending.push_back(workers.all_reduce(tensors.back()));
  }
  for (auto& one : pending) one.wait();
  for (const auto& tensor : tensors) {
    EXPECT_TRUE(
        at::equal(tensor, at::arange(tensor.numel(), at::kFloat) * size + static_cast<float>(size * (size - 1) / 2)));
  }
  for (int root = 0; root < size; ++root) {
    auto copy = at::full({7}, rank, at::kFloat);
    workers.broadcast(copy, root).wait();
    EXPECT_TRUE(at::equal(copy, at::full({7}, root, at::kFloat)));
    auto sum = at::full({1001}, rank + 1, at::kDouble);
    workers.reduce(sum, root).wait();
    if (rank == root) {
      EXPECT_TRUE(at::equal(sum, at::full({1001}, size * (size + 1) / 2, at::kDouble)));
    }
  }
}

void check_shares(const Workers& workers) {
  for (const int64_t count : {1, 63, 64, 1000, 6000001}) {
    auto flat = at::zeros({count});
    const Shard own = shard_of(count, workers.rank(), workers.size());
    flat.narrow(0, own.begin, own.end - own.begin).copy_(at::arange(own.begin, own.end, at::kFloat));
    workers.all_gather(flat);
    EXPECT_TRUE(at::equal(flat, at::arange(count, at::kFloat))) << count;
  }
}

void check_numbers(const Workers& workers) {
  double values[] = {1, static_cast<double>(workers.rank())};
  workers.all_reduce(values);
  EXPECT_EQ(values[0], workers.size());
  EXPECT_EQ(values[1], workers.size() * (workers.size() - 1) / 2);
  workers.barrier();
  workers.expect_same("the recipe", "as it is");
  const auto other = workers.rank() == workers.size() - 1 ? "another" : "one";
  EXPECT_THAT([&] { workers.expect_same("the recipe", other); },
              testing::ThrowsMessage<InputError>("the recipe: differs between process 0 and " +
                                                 std::to_string(workers.size() - 1)));
}

// What the first does for all, however long it takes.
void check_alone(const Workers& workers) {
  int done = 0, waited = 0;
  const auto work = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    ++done;
  };
  for (int i = 0; i < 2; ++i) workers.first_alone(work, [&] { ++waited; });
  EXPECT_EQ(done, workers.first() ? 2 : 0);
  EXPECT_EQ(waited > 0, !workers.first());
}

void check_repeats(const Workers& workers) {
  auto first = random_of(workers.rank()), second = random_of(workers.rank());
  workers.all_reduce(first).wait();
  workers.all_reduce(second).wait();
  EXPECT_TRUE(at::equal(first, second));
  auto of_first = first.clone();
  workers.broadcast(of_first, 0).wait();
  EXPECT_TRUE(at::equal(first, of_first));
}

TEST_P(Exchanges, GiveTheObviousResult) {
  if (!is_worker()) return expect_processes_pass(GetParam());
  const auto workers = Workers::from_environment({.timeout = std::chrono::seconds(60)});
  ASSERT_EQ(workers.size(), GetParam());
  check_tensors(workers);
  check_shares(workers);
  check_numbers(workers);
  check_alone(workers);
  check_repeats(workers);
}

INSTANTIATE_TEST_SUITE_P(Processes, Exchanges, testing::Values(2, 3));

TEST(Workers, OfOneProcessChangeNothing) {
  const Workers workers;
  EXPECT_EQ(workers.rank(), 0);
  EXPECT_EQ(workers.size(), 1);
  auto tensor = at::ones({3});
  workers.all_reduce(tensor).wait();
  workers.broadcast(tensor, 0).wait();
  workers.all_gather(tensor);
  workers.barrier();
  workers.expect_same("the recipe", "x");
  EXPECT_TRUE(at::equal(tensor, at::ones({3})));
}

TEST(Workers, ShareAllElementsOnce) {
  for (const int64_t count : {0, 1, 64, 127, 128, 1000, 123457}) {
    for (const int size : {1, 2, 3, 7}) {
      int64_t end = 0;
      for (int rank = 0; rank < size; ++rank) {
        const Shard shard = shard_of(count, rank, size);
        EXPECT_EQ(shard.begin, end);
        EXPECT_EQ(shard.begin % 64, 0);
        end = shard.end;
      }
      EXPECT_EQ(end, count);
    }
  }
}

}  // namespace
}  // namespace fresco::training
