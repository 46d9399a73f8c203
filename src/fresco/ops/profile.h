#pragma once
// Where the time of a drawing goes: spans of stages, steps, networks, cells and operators, recorded on the thread that does the work.
// Without a Profiler a span costs a look at one thread-local pointer.
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fresco/core/processor.h"

namespace fresco::ops {

/// Outer kinds hold inner ones; operators may hold operators.
enum class SpanKind { stage, step, network, cell, op };
std::string_view name(SpanKind kind);

/// What one call of an operator is worth, whatever a form saves or repeats of it.
struct Cost {
  double flops = 0;   // of the definition done directly: 2 for each multiply-add
  double bytes = 0;   // inputs, weights and results, each moved once
  std::string shape;  // for people: "2x320x64x64, 3x3 to 640"
  Arithmetic arithmetic = Arithmetic::f32;
};

struct SpanRecord {
  SpanKind kind = SpanKind::stage;
  Arithmetic arithmetic = Arithmetic::f32;
  int parent = -1;                               // place in Profiler::spans()
  int name = 0, form = 0, layer = 0, shape = 0;  // Profiler::text(); 0: none
  int64_t index = -1;                            // of a step or picture, from 1
  double flops = 0, bytes = 0;
  double start = 0, seconds = 0;  // start counts from the profiler's birth
};

/// Records the spans of this thread while it lives. The innermost one records.
class Profiler {
 public:
  Profiler();
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;
  /// The one that records on this thread, or none.
  static Profiler* current();

  /// Called before each clock reading: waits for a device that works behind the program's back.
  void set_settle(std::function<void()> settle) { settle_ = std::move(settle); }

  /// In the order in which they began; parents stand before their children.
  const std::vector<SpanRecord>& spans() const { return spans_; }
  const std::string& text(int id) const { return *texts_[id]; }
  /// Ends the recording: the profiler before it is current again.
  void finish();
  /// From its birth to finish(), or to now.
  double seconds() const;
  /// An operator is running.
  bool in_operator() const { return innermost_ >= 0 && spans_[innermost_].kind == SpanKind::op; }

 private:
  friend class Span;
  int open(SpanKind kind, std::string_view name, int64_t index);
  int open(std::string_view op, std::string_view form, const Cost& cost);
  int begin(SpanRecord record);
  void close(int id);
  int id_of(std::string_view text);
  double now();

  std::chrono::steady_clock::time_point born_ = std::chrono::steady_clock::now();
  std::function<void()> settle_;
  std::vector<SpanRecord> spans_;
  std::map<std::string, int, std::less<>> ids_;
  std::vector<const std::string*> texts_;
  int innermost_ = -1;
  std::optional<double> finished_;
  Profiler* outer_;
};

/// One span of the profiler that is current when it begins, from its construction to its end.
class Span {
 public:
  /// A stage, step, network or cell; a cell's name is the key prefix of its tensors, and the layer of what runs in it.
  Span(SpanKind kind, std::string_view name, int64_t index = -1) : profiler_(Profiler::current()) {
    if (profiler_ != nullptr) id_ = profiler_->open(kind, name, index);
  }
  /// A call of an operator; `cost()` is asked only when somebody records.
  template <typename MakeCost>
  Span(std::string_view op, std::string_view form, MakeCost&& cost) : profiler_(Profiler::current()) {
    if (profiler_ != nullptr) id_ = profiler_->open(op, form, cost());
  }
  ~Span() {
    if (profiler_ != nullptr) profiler_->close(id_);
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

 private:
  Profiler* profiler_;
  int id_ = -1;
};

/// Says which layer the operators of this thread belong to while it lives: `name` and then `part`, which must live as long. Without
/// one, operators belong to the cell around them.
class ScopedLayer {
 public:
  explicit ScopedLayer(std::string_view name, std::string_view part = {});
  ~ScopedLayer();
  ScopedLayer(const ScopedLayer&) = delete;
  ScopedLayer& operator=(const ScopedLayer&) = delete;

 private:
  std::pair<std::string_view, std::string_view> previous_;
};

}  // namespace fresco::ops
