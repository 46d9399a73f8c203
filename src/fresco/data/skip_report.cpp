#include <fmt/format.h>

#include <numeric>

#include "fresco/data/source.h"

namespace fresco::data {

void SkipReport::add(std::string where, const std::string& kind, const std::string& reason) {
  ++counts[kind];
  if (first.size() < kMostNamed) first.push_back({std::move(where), reason.empty() ? kind : reason});
}

void SkipReport::add(const SkipReport& other) {
  found += other.found;
  for (const auto& [kind, count] : other.counts) counts[kind] += count;
  for (const Skipped& each : other.first) {
    if (first.size() < kMostNamed) first.push_back(each);
  }
}

int64_t SkipReport::skipped() const {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0},
                         [](int64_t sum, const auto& each) { return sum + each.second; });
}

std::string SkipReport::text() const {
  if (counts.empty()) return {};
  std::string kinds;
  for (const auto& [kind, count] : counts) kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, kind);
  // Errors name their place themselves.
  const Skipped& one = first.front();
  const std::string named = one.reason.starts_with(one.where) ? one.reason : one.where + ": " + one.reason;
  return fmt::format("{} of {} samples left out: {}; first {}", skipped(), found, kinds, named);
}

}  // namespace fresco::data
