#pragma once
// Tables of operators' speed: one file an operator, benchmarks/kernels_*.cpp.
#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/ops/machine_rate.h"

namespace fresco::benchmarks {

struct KernelOptions {
  int threads = 2;
  int repeat = 7;      // timings of each way; the median counts
  std::string filter;  // of shapes, by a part of their name
};

/// One way to compute what a row of a table is about.
struct Way {
  std::string name;  // "avx2": an operator's form; "libtorch": the peer
  Arithmetic arithmetic = Arithmetic::f32;
  std::function<at::Tensor()> run;
};

struct Measured {
  double seconds = 0;  // median
  at::Tensor result;   // of the last run
};

/// What an operator is held against: the machine's multiply-adds on registers alone, or its reads of memory.
enum class Rate { compute, memory };

/// Prints rows of shape, form, GF/s or GB/s, share of what the machine would do at best, speed beside the last way (the peer), error.
/// Bytes that lie in a cache can come faster than from memory.
class KernelTable {
 public:
  KernelTable(std::string title, KernelOptions options, ops::MachineRates rates, Rate rate = Rate::compute);

  /// Whether the options ask for a shape of this name.
  bool wants(const std::string& shape) const { return shape.find(options_.filter) != std::string::npos; }

  /// Runs all ways in turns and prints a row for each. work: multiply-adds counted twice, or bytes. error: of a result, relative to the
  /// largest magnitude of the definition's.
  void compare(const std::string& shape, double work, const std::vector<Way>& ways,
               const std::function<double(const at::Tensor&)>& error);

 private:
  double best(const Way& way) const;  // 0 when unknown

  KernelOptions options_;
  ops::MachineRates rates_;
  Rate rate_;
};

/// Rows printed so far whose error is more than rounding.
int wrong();

void linear_table(const KernelOptions& options, const ops::MachineRates& rates);
void conv2d_table(const KernelOptions& options, const ops::MachineRates& rates);
void attention_table(const KernelOptions& options, const ops::MachineRates& rates);
void norms_table(const KernelOptions& options, const ops::MachineRates& rates);

}  // namespace fresco::benchmarks
