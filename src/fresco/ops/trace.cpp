#include "fresco/ops/trace.h"

#include <fmt/format.h>

#include <cmath>

#include "fresco/core/json.h"

namespace fresco::ops {
namespace {

std::string event_name(const Profiler& profiler, const SpanRecord& span) {
  const std::string& name = profiler.text(span.name);
  return span.index < 0 ? name : fmt::format("{} {}", name, span.index);
}

// The format counts in microseconds; the clock in nanoseconds.
int64_t nanoseconds(double seconds) { return std::llround(seconds * 1e9); }
double microseconds(int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

// Four digits are enough for people.
double rounded(double value) { return std::stod(fmt::format("{:.4g}", value)); }

Json arguments(const Profiler& profiler, const SpanRecord& span) {
  const double seconds = span.seconds > 0 ? span.seconds : 1;
  Json args{{"form", profiler.text(span.form)}, {"shape", profiler.text(span.shape)}};
  if (span.layer != 0) args["layer"] = profiler.text(span.layer);
  if (span.flops > 0) {
    args["GFLOP"] = span.flops / 1e9;
    args["GFLOP/s"] = rounded(span.flops / seconds / 1e9);
    args["arithmetic"] = name(span.arithmetic);
  }
  if (span.bytes > 0) {
    args["MB"] = span.bytes / 1e6;
    args["GB/s"] = rounded(span.bytes / seconds / 1e9);
  }
  return args;
}

Json event(const Profiler& profiler, const SpanRecord& span) {
  const int64_t start = nanoseconds(span.start), end = nanoseconds(span.start + span.seconds);
  Json json{
      {"name", event_name(profiler, span)}, {"cat", name(span.kind)},          {"ph", "X"}, {"pid", 1}, {"tid", 1},
      {"ts", microseconds(start)},          {"dur", microseconds(end - start)}};
  if (span.kind == SpanKind::op) json["args"] = arguments(profiler, span);
  return json;
}

Json label(const char* what, std::string_view text) {
  return {{"name", what}, {"ph", "M"}, {"pid", 1}, {"tid", 1}, {"args", {{"name", text}}}};
}

}  // namespace

void write_trace(const Profiler& profiler, std::string_view title, const std::function<void(std::string_view)>& write) {
  const auto line = [](const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); };
  constexpr size_t kPiece = size_t{1} << 16;
  std::string piece = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" + line(label("process_name", title)) + ",\n" +
                      line(label("thread_name", "drawing"));
  for (const SpanRecord& span : profiler.spans()) {
    piece += ",\n" + line(event(profiler, span));
    if (piece.size() < kPiece) continue;
    write(piece);
    piece.clear();
  }
  write(piece + "\n]}\n");
}

}  // namespace fresco::ops
