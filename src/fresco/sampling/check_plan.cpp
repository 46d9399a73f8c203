#include "fresco/sampling/check_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/error.h"
#include "fresco/sampling/mix.h"

namespace fresco::sampling {
namespace {

constexpr size_t kMostRows = 10000;

// What stands in the registers while rows run.
struct Held {
  int history = 0;
  bool kept = false;
};

[[noreturn]] void refuse(size_t row, const std::string& problem) {
  throw InputError(fmt::format("plan, row {}", row + 1), problem);
}

bool is_finite(const Row& row) {
  const bool mixes = sampling::is_finite(row.entry) && sampling::is_finite(row.update) &&
                     (!row.correction || sampling::is_finite(*row.correction));
  const bool slope = !row.slope || (std::isfinite(row.slope->change) && std::isfinite(1 / row.slope->sigma));
  return mixes && slope && std::isfinite(row.timestep) && std::isfinite(row.input_scale) &&
         std::isfinite(row.clip.value_or(0)) && std::isfinite(row.reached.signal) && std::isfinite(row.reached.noise);
}

int oldest_read(const Mix& mix) {
  int oldest = -1;
  for (int age = 0; age < kHistory; ++age) {
    if (mix.history[static_cast<size_t>(age)] != 0) oldest = age;
  }
  return oldest;
}

void check_reads(size_t row, const char* member, const Mix& mix, const Held& held, bool noise) {
  if (oldest_read(mix) >= held.history)
    refuse(row, fmt::format("{} reads history[{}], expected an age below {}", member, oldest_read(mix), held.history));
  if (mix.kept != 0 && !held.kept) refuse(row, fmt::format("{} reads the kept sample, which no row has kept", member));
  if (mix.noise != 0 && !noise) refuse(row, fmt::format("{} reads noise that is not drawn there", member));
}

void check_row(size_t index, const Row& row, Held& held) {
  if (!is_finite(row)) refuse(index, "expected finite numbers, and a slope's sigma other than 0");
  if (oldest_read(row.entry) >= 0 || row.entry.kept != 0 || row.entry.noise != 0)
    refuse(index, "entry reads more than sample and output");
  held.history = std::min(held.history + 1, kHeldHistory);
  if (row.correction) check_reads(index, "correction", *row.correction, held, false);
  held.kept = held.kept || row.keep;
  check_reads(index, "update", row.update, held, row.draws_noise);
  if (row.drops < 0 || row.drops > held.history)
    refuse(index, fmt::format("drops {} history entries, expected 0 to {}", row.drops, held.history));
  held.history -= row.drops;
}

}  // namespace

void check_plan(const SamplingPlan& plan) {
  if (plan.rows.empty() || plan.rows.size() > kMostRows)
    throw InputError("plan", fmt::format("expected 1 to {} rows, got {}", kMostRows, plan.rows.size()));
  if (!std::isfinite(plan.initial_noise) || !std::isfinite(plan.start.signal) || !std::isfinite(plan.start.noise))
    throw InputError("plan", "expected a finite initial_noise and start");
  Held held;
  for (size_t i = 0; i < plan.rows.size(); ++i) check_row(i, plan.rows[i], held);
}

}  // namespace fresco::sampling
