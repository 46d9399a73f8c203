#include "fresco/ops/profile_summary.h"

#include <algorithm>
#include <tuple>

namespace fresco::ops {
namespace {

// Rows under keys, in the order in which keys first came.
template <typename Key, typename Row>
class Rows {
 public:
  Row& operator[](const Key& key) {
    const auto [place, fresh] = places_.emplace(key, rows_.size());
    if (fresh) rows_.emplace_back();
    return rows_[place->second];
  }
  std::vector<Row> in_order() && { return std::move(rows_); }
  std::vector<Row> slowest_first() && {
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
    return std::move(rows_);
  }

 private:
  std::map<Key, size_t> places_;
  std::vector<Row> rows_;
};

class Adder {
 public:
  Adder(const Profiler& profiler, const MachineRates& rates)
      : profiler_(profiler), spans_(profiler.spans()), rates_(rates) {
    own_.reserve(spans_.size());
    for (const SpanRecord& span : spans_) {
      own_.push_back(span.seconds);
      if (span.parent >= 0 && span.kind == SpanKind::op) take_from_operator(span);
    }
  }

  ProfileSummary run() {
    for (size_t i = 0; i < spans_.size(); ++i) {
      const SpanRecord& span = spans_[i];
      if (span.kind == SpanKind::op) add_operator(span, own_[i]);
      if (span.kind == SpanKind::stage) add_outer(stages_[{span.name, 0}], span);
      if (span.kind == SpanKind::network) add_outer(stages_[{around(span, SpanKind::stage), span.name}], span);
    }
    ProfileSummary summary;
    summary.seconds = profiler_.seconds();
    summary.operator_seconds = operator_seconds_;
    summary.rates = rates_;
    summary.operators = std::move(operators_).slowest_first();
    summary.layers = std::move(layers_).slowest_first();
    summary.stages = std::move(stages_).in_order();
    return summary;
  }

 private:
  // An operator's time is not the time of the operator around it.
  void take_from_operator(const SpanRecord& span) {
    if (spans_[span.parent].kind == SpanKind::op) own_[span.parent] -= span.seconds;
  }

  // Name of the next span of this kind outwards; 0: there is none.
  int around(const SpanRecord& span, SpanKind kind) const {
    for (int at = span.parent; at >= 0; at = spans_[at].parent) {
      if (spans_[at].kind == kind) return spans_[at].name;
    }
    return 0;
  }

  void add_operator(const SpanRecord& span, double own) {
    operator_seconds_ += own;
    const int network = around(span, SpanKind::network), stage = around(span, SpanKind::stage);
    auto& op = operators_[{span.name, span.form}];
    op.name = profiler_.text(span.name);
    op.form = profiler_.text(span.form);
    add(op, span, own);
    auto& layer = layers_[{network, span.layer, span.name, span.form}];
    if (layer.calls == 0) {
      layer.network = profiler_.text(network);
      layer.layer = profiler_.text(span.layer);
      layer.name = op.name;
      layer.form = op.form;
      layer.shape = profiler_.text(span.shape);
    }
    add(layer, span, own);
    if (stage != 0) stages_[{stage, 0}].operator_seconds += own;
    if (network != 0) stages_[{stage, network}].operator_seconds += own;
  }

  void add(ProfileTotals& totals, const SpanRecord& span, double own) const {
    ++totals.calls;
    totals.seconds += own;
    totals.flops += span.flops;
    totals.bytes += span.bytes;
    totals.attainable_seconds += rates_.seconds(span.arithmetic, span.flops, span.bytes, profiler_.text(span.form));
  }

  void add_outer(StageTotals& totals, const SpanRecord& span) const {
    totals.name = profiler_.text(span.name);
    totals.network = span.kind == SpanKind::network;
    ++totals.calls;
    totals.seconds += span.seconds;
  }

  const Profiler& profiler_;
  const std::vector<SpanRecord>& spans_;
  const MachineRates& rates_;
  std::vector<double> own_;
  double operator_seconds_ = 0;
  Rows<std::pair<int, int>, OperatorTotals> operators_;
  Rows<std::tuple<int, int, int, int>, LayerTotals> layers_;
  Rows<std::pair<int, int>, StageTotals> stages_;
};

Json totals_json(const ProfileTotals& totals) {
  return {{"calls", totals.calls},
          {"seconds", totals.seconds},
          {"flops", totals.flops},
          {"bytes", totals.bytes},
          {"flops_per_second", totals.flops_rate()},
          {"bytes_per_second", totals.bytes_rate()},
          {"attained", totals.attainable_seconds > 0 ? Json(totals.attained()) : Json(nullptr)}};
}

Json operator_json(const OperatorTotals& op) {
  Json json = totals_json(op);
  json["operator"] = op.name;
  json["form"] = op.form;
  return json;
}

Json layer_json(const LayerTotals& layer) {
  Json json = totals_json(layer);
  json["network"] = layer.network;
  json["layer"] = layer.layer;
  json["operator"] = layer.name;
  json["form"] = layer.form;
  json["shape"] = layer.shape;
  return json;
}

Json stage_json(const StageTotals& stage) {
  return {{stage.network ? "network" : "stage", stage.name},
          {"calls", stage.calls},
          {"seconds", stage.seconds},
          {"operator_seconds", stage.operator_seconds}};
}

template <typename Row>
Json list_json(const std::vector<Row>& rows, Json (*one)(const Row&)) {
  Json list = Json::array();
  for (const Row& row : rows) list.push_back(one(row));
  return list;
}

}  // namespace

ProfileSummary summarize(const Profiler& profiler, const MachineRates& rates) { return Adder(profiler, rates).run(); }

Json to_json(const ProfileSummary& summary) {
  return {{"seconds", summary.seconds},
          {"operator_seconds", summary.operator_seconds},
          {"machine", to_json(summary.rates)},
          {"operators", list_json(summary.operators, operator_json)},
          {"layers", list_json(summary.layers, layer_json)},
          {"stages", list_json(summary.stages, stage_json)}};
}

}  // namespace fresco::ops
