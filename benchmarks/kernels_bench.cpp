// Prints tables of how fast operators are on the networks' shapes, form by form, beside libtorch's, and how exact.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "fresco/core/processor.h"
#include "fresco/ops/memory/arena.h"
#include "kernels.h"

namespace fresco::benchmarks {
namespace {

using Table = void (*)(const KernelOptions&, const ops::MachineRates&);
const std::map<std::string, Table> kTables = {
    {"attention", attention_table}, {"conv2d", conv2d_table}, {"linear", linear_table}, {"norms", norms_table}};

void print_machine(const ops::MachineRates& rates) {
  fmt::print("{}, {} threads; at most", processor().name, rates.threads);
  for (const auto& rate : rates.compute)
    fmt::print(" {:.0f} GF/s {} ({}),", rate.flops / 1e9, name(rate.arithmetic), rate.instructions);
  fmt::print(" {:.0f} GB/s read\n", rates.memory_bytes / 1e9);
}

// What a short measurement misses when something else holds a thread up, one of several does not.
ops::MachineRates measure(int threads) {
  constexpr int kMeasurements = 3;
  auto best = ops::measure_machine(threads);
  for (int i = 1; i < kMeasurements; ++i) {
    const auto again = ops::measure_machine(threads);
    best.memory_bytes = std::max(best.memory_bytes, again.memory_bytes);
    for (auto& rate : best.compute) {
      for (const auto& other : again.compute) {
        if (other.instructions == rate.instructions && other.arithmetic == rate.arithmetic)
          rate.flops = std::max(rate.flops, other.flops);
      }
    }
  }
  return best;
}

}  // namespace

int run(int argc, char** argv) {
  KernelOptions options;
  std::vector<std::string> operators;
  CLI::App app("Times operators on the networks' shapes.");
  app.add_option("operators", operators, "which tables; none: all")->check(CLI::IsMember(kTables));
  app.add_option("--threads", options.threads)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--repeat", options.repeat, "timings of each; the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--filter", options.filter, "only shapes whose name holds this");
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(options.threads);
  at::manual_seed(1);
  const auto rates = measure(options.threads);
  print_machine(rates);
  const ops::Arena arena;  // as drawings have one
  const ops::ScopedArena scoped(&arena);
  for (const auto& [name, table] : kTables) {
    if (operators.empty() || std::find(operators.begin(), operators.end(), name) != operators.end())
      table(options, rates);
  }
  if (wrong() > 0) fmt::print(stderr, "{} wrong results\n", wrong());
  return wrong() > 0 ? 1 : 0;
}

}  // namespace fresco::benchmarks

int main(int argc, char** argv) { return fresco::benchmarks::run(argc, argv); }
