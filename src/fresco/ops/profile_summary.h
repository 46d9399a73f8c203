#pragma once
// A profile added up: by operator, by layer, by stage.
#include <string>
#include <vector>

#include "fresco/core/json.h"
#include "fresco/ops/machine_rate.h"
#include "fresco/ops/profile.h"

namespace fresco::ops {

/// Time and work together. Time of an operator is its own: operators inside it count for themselves.
struct ProfileTotals {
  int64_t calls = 0;
  double seconds = 0;
  double flops = 0, bytes = 0;
  double attainable_seconds = 0;  // what the machine's rates allow for the same; 0: not known

  double flops_rate() const { return seconds > 0 ? flops / seconds : 0; }
  double bytes_rate() const { return seconds > 0 ? bytes / seconds : 0; }
  /// Share of the attainable rate. Above 1 where a form needs fewer operations than the definition, or data came from caches.
  double attained() const { return seconds > 0 ? attainable_seconds / seconds : 0; }
};

struct OperatorTotals : ProfileTotals {
  std::string name, form;
};
struct LayerTotals : ProfileTotals {
  std::string network, layer, name, form, shape;  // shape of its first call
};
struct StageTotals {
  std::string name;
  bool network = false;  // of the stage before it
  int64_t calls = 0;
  double seconds = 0;
  double operator_seconds = 0;  // spent in operators
};

struct ProfileSummary {
  double seconds = 0;  // of the profiler's life
  double operator_seconds = 0;
  MachineRates rates;
  std::vector<OperatorTotals> operators;  // slowest first
  std::vector<LayerTotals> layers;        // slowest first
  std::vector<StageTotals> stages;        // in the order in which they ran, each before the networks in it
};

/// `rates` without measurements leaves attainable times at 0.
ProfileSummary summarize(const Profiler& profiler, const MachineRates& rates);

Json to_json(const ProfileSummary& summary);

}  // namespace fresco::ops
