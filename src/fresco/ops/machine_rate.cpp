#include "fresco/ops/machine_rate.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>

#include "fresco/core/memory.h"
#include "fresco/ops/machine_loops.h"

namespace fresco::ops {
namespace {

using Clock = std::chrono::steady_clock;

// Of many short rounds one of the best counts: others may share the machine.
constexpr int kRounds = 20, kPasses = 4;
constexpr size_t kCounts = 10;  // a tenth of the rounds may be better
constexpr double kRoundSeconds = 1e-3;
constexpr size_t kLeastBlock = size_t{64} << 20, kMostBlock = size_t{256} << 20;  // bytes
constexpr size_t kChunk = size_t{4} << 20;  // bytes that a thread reads in a round

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Sum over threads of what `work(thread, round)` returns, a rate, in one of the best rounds. All threads begin a round together.
template <typename Work>
double good_round(int threads, int rounds, const Work& work) {
  std::barrier together(threads);
  std::vector<std::vector<double>> rates(threads, std::vector<double>(rounds));
  {
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t) {
      all.emplace_back([&, t] {
        for (int round = 0; round < rounds; ++round) {
          together.arrive_and_wait();
          rates[t][round] = work(t, round);
        }
      });
    }
  }
  std::vector<double> sums(rounds);
  for (const auto& of_thread : rates)
    std::transform(sums.begin(), sums.end(), of_thread.begin(), sums.begin(), std::plus());
  std::sort(sums.begin(), sums.end(), std::greater());
  return sums[sums.size() / kCounts];
}

double compute_rate(const MachineLoop& loop, int threads) {
  constexpr int64_t kTurns = 1000;
  return good_round(threads, kRounds, [&](int, int) {
    const auto start = Clock::now();
    double seconds = 0;
    int64_t turns = 0;
    for (; seconds < kRoundSeconds; seconds = seconds_since(start)) {
      loop.run(kTurns);
      turns += kTurns;
    }
    return static_cast<double>(turns) * loop.flops / seconds;
  });
}

// Each thread's share of twice the last cache: little of it is still there when it is read again.
size_t share_bytes(int threads) {
  const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  const size_t wanted = std::clamp(2 * static_cast<size_t>(std::max(cache, 0L)), kLeastBlock, kMostBlock);
  return std::min<size_t>(wanted, available_memory_bytes() / 4) / static_cast<size_t>(threads) / kChunk * kChunk;
}

double memory_rate(int threads) {
  const size_t share = share_bytes(threads), chunks = share / kChunk, bytes = share * static_cast<size_t>(threads);
  const std::unique_ptr<std::byte, void (*)(void*)> block(static_cast<std::byte*>(std::aligned_alloc(kChunk, bytes)),
                                                          std::free);
  if (bytes == 0 || !block) return 0;
  std::memset(block.get(), 1, bytes);
  std::atomic<uint64_t> used = 0;
  return good_round(threads, kPasses * static_cast<int>(chunks), [&](int t, int round) {
    const auto start = Clock::now();
    used +=
        read_all(block.get() + share * static_cast<size_t>(t) + kChunk * (static_cast<size_t>(round) % chunks), kChunk);
    return static_cast<double>(kChunk) / seconds_since(start);
  });
}

}  // namespace

const ComputeRate* MachineRates::best(Arithmetic arithmetic, std::string_view form) const {
  const bool narrow = form == "avx2";
  for (const ComputeRate& rate : compute) {
    if (rate.arithmetic == arithmetic && (!narrow || rate.instructions == name(InstructionSet::avx2))) return &rate;
  }
  return arithmetic == Arithmetic::f32 ? nullptr : best(Arithmetic::f32, form);
}

double MachineRates::seconds(Arithmetic arithmetic, double flops, double bytes, std::string_view form) const {
  const ComputeRate* rate = best(arithmetic, form);
  const double computing = rate != nullptr && rate->flops > 0 ? flops / rate->flops : 0;
  return std::max(computing, memory_bytes > 0 ? bytes / memory_bytes : 0);
}

MachineRates measure_machine(int threads) {
  MachineRates rates;
  rates.threads = std::clamp(threads, 1, processor().threads);
  for (const MachineLoop& loop : machine_loops())
    rates.compute.push_back({loop.arithmetic, std::string(loop.instructions), compute_rate(loop, rates.threads)});
  std::stable_sort(rates.compute.begin(), rates.compute.end(),
                   [](const ComputeRate& a, const ComputeRate& b) { return a.flops > b.flops; });
  rates.memory_bytes = memory_rate(rates.threads);
  return rates;
}

Json to_json(const MachineRates& rates) {
  Json compute = Json::array();
  for (const ComputeRate& rate : rates.compute) {
    compute.push_back(
        {{"arithmetic", name(rate.arithmetic)}, {"instructions", rate.instructions}, {"flops_per_second", rate.flops}});
  }
  return {{"threads", rates.threads}, {"compute", compute}, {"memory_bytes_per_second", rates.memory_bytes}};
}

}  // namespace fresco::ops
