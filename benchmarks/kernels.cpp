#include "kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace fresco::benchmarks {
namespace {

constexpr double kLeastSeconds = 2e-3;  // of one timing: short calls are repeated

double seconds_of(const std::function<at::Tensor()>& run, at::Tensor& result) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  double seconds = 0;
  int calls = 0;
  do {
    result = run();
    ++calls;
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  } while (seconds < kLeastSeconds);
  return seconds / calls;
}

// In turns, so that a disturbance from outside meets all of them; each once before, untimed.
std::vector<Measured> measure(const std::vector<Way>& ways, int repeat) {
  std::vector<Measured> measured(ways.size());
  std::vector<std::vector<double>> seconds(ways.size());
  for (int round = 0; round <= repeat; ++round) {
    for (size_t i = 0; i < ways.size(); ++i) {
      const double taken = seconds_of(ways[i].run, measured[i].result);
      if (round > 0) seconds[i].push_back(taken);
    }
  }
  for (size_t i = 0; i < ways.size(); ++i) {
    const auto middle = seconds[i].begin() + static_cast<std::ptrdiff_t>(seconds[i].size() / 2);
    std::nth_element(seconds[i].begin(), middle, seconds[i].end());
    measured[i].seconds = *middle;
  }
  return measured;
}

// Errors beyond this, relative to the largest result, are not rounding.
double most_error(Arithmetic arithmetic) { return arithmetic == Arithmetic::f32 ? 2e-5 : 3e-2; }

int wrong_answers = 0;

}  // namespace

int wrong() { return wrong_answers; }

KernelTable::KernelTable(std::string title, KernelOptions options, ops::MachineRates rates, Rate rate)
    : options_(std::move(options)), rates_(std::move(rates)), rate_(rate) {
  fmt::print("\n{}, {} threads\n", title, options_.threads);
  fmt::print("{:<42} {:<16} {:>9} {:>8} {:>8} {:>8} {:>9}\n", "shape", "form", "ms",
             rate == Rate::memory ? "GB/s" : "GF/s", rate == Rate::memory ? "of read" : "of peak", "speed", "error");
}

double KernelTable::best(const Way& way) const {
  if (rate_ == Rate::memory) return rates_.memory_bytes;
  const auto* peak = rates_.best(way.arithmetic, way.name);
  return peak != nullptr ? peak->flops : 0;
}

void KernelTable::compare(const std::string& shape, double work, const std::vector<Way>& ways,
                          const std::function<double(const at::Tensor&)>& error) {
  if (!wants(shape)) return;
  const auto measured = measure(ways, options_.repeat);
  for (size_t i = 0; i < ways.size(); ++i) {
    const double rate = work / measured[i].seconds, most = best(ways[i]);
    const auto share = most > 0 ? fmt::format("{:.0f} %", 100 * rate / most) : "-";
    const double apart = error(measured[i].result);
    const bool right = apart <= most_error(ways[i].arithmetic);  // nor for what is no number
    fmt::print("{:<42} {:<16} {:>9.2f} {:>8.1f} {:>8} {:>8.2f} {:>9.1e}{}\n", shape, ways[i].name,
               1e3 * measured[i].seconds, rate / 1e9, share, measured.back().seconds / measured[i].seconds, apart,
               right ? "" : "  WRONG");
    if (!right) ++wrong_answers;
  }
}

}  // namespace fresco::benchmarks
