#include "fresco/ops/profile.h"

#include <fmt/format.h>

namespace fresco::ops {
namespace {

thread_local Profiler* profiler = nullptr;
thread_local std::pair<std::string_view, std::string_view> layer;

}  // namespace

std::string_view name(SpanKind kind) {
  constexpr std::string_view kNames[] = {"stage", "step", "network", "cell", "operator"};
  return kNames[static_cast<int>(kind)];
}

Profiler::Profiler() : outer_(profiler) {
  id_of("");
  profiler = this;
}
Profiler::~Profiler() { finish(); }

Profiler* Profiler::current() { return profiler; }

void Profiler::finish() {
  if (finished_) return;
  finished_ = seconds();
  profiler = outer_;
}

double Profiler::seconds() const {
  if (finished_) return *finished_;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - born_).count();
}

double Profiler::now() {
  if (settle_) settle_();
  return seconds();
}

int Profiler::id_of(std::string_view text) {
  const auto found = ids_.find(text);
  if (found != ids_.end()) return found->second;
  const auto added = ids_.emplace(text, static_cast<int>(texts_.size())).first;
  texts_.push_back(&added->first);
  return added->second;
}

int Profiler::begin(SpanRecord record) {
  record.parent = innermost_;
  record.start = now();
  innermost_ = static_cast<int>(spans_.size());
  spans_.push_back(record);
  return innermost_;
}

int Profiler::open(SpanKind kind, std::string_view name, int64_t index) {
  return begin({.kind = kind, .name = id_of(name), .index = index});
}

int Profiler::open(std::string_view op, std::string_view form, const Cost& cost) {
  SpanRecord record{.kind = SpanKind::op, .arithmetic = cost.arithmetic, .flops = cost.flops, .bytes = cost.bytes};
  record.name = id_of(op);
  record.form = id_of(form);
  record.shape = id_of(cost.shape);
  if (!layer.first.empty()) {
    record.layer = id_of(fmt::format("{}{}", layer.first, layer.second));
  } else if (innermost_ >= 0) {
    const SpanRecord& around = spans_[innermost_];
    record.layer = around.kind == SpanKind::cell ? around.name : around.layer;
  }
  return begin(record);
}

void Profiler::close(int id) {
  SpanRecord& record = spans_[id];
  record.seconds = now() - record.start;
  innermost_ = record.parent;
}

ScopedLayer::ScopedLayer(std::string_view name, std::string_view part) : previous_(layer) { layer = {name, part}; }
ScopedLayer::~ScopedLayer() { layer = previous_; }

}  // namespace fresco::ops
