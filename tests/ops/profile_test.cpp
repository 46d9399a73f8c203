#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "fresco/ops/attention/attention.h"
#include "fresco/ops/conv2d/conv2d.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/geglu/geglu.h"
#include "fresco/ops/linear/linear.h"
#include "fresco/ops/profile_summary.h"
#include "fresco/ops/trace.h"

namespace fresco::test {
namespace {

using ops::Profiler;
using ops::ScopedLayer;
using ops::Span;
using ops::SpanKind;

// Long enough for a clock to tell.
void work() {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < std::chrono::microseconds(200)) {
  }
}

void call(std::string_view op, double flops = 0, double bytes = 0) {
  const Span span(op, "plain", [&] { return ops::Cost{.flops = flops, .bytes = bytes, .shape = "2x3"}; });
  work();
}

// A stage with two steps of a network of one cell, as a drawing has them.
void record_drawing() {
  const Span stage(SpanKind::stage, "denoise");
  for (int i = 1; i <= 2; ++i) {
    const Span step(SpanKind::step, "step", i);
    {
      const Span network(SpanKind::network, "unet");
      const Span cell(SpanKind::cell, "blocks.0");
      call("norm");
      const ScopedLayer layer("blocks.0", ".conv");
      call("conv", 4e6, 1e6);
    }
    call("mix");
  }
}

TEST(Profiler, CostsOfOperatorsAreThoseCountedByHand) {
  const auto x = at::randn({2, 32, 7, 5}), skip = at::randn({2, 16, 7, 5});
  const ops::ConvWeights conv(at::randn({33, 48, 3, 3}), at::randn({33}), ops::kHalve3x3);
  Profiler profiler;
  ops::conv2d({x, skip, conv, {}, {}});  // rows 4, columns 3
  const auto& first = profiler.spans().at(0);
  EXPECT_EQ(profiler.text(first.name), "conv2d");
  EXPECT_EQ(profiler.text(first.shape), "2x48x7x5, 3x3/2 to 33");
  EXPECT_EQ(first.flops, 2.0 * (2 * 33 * 4 * 3) * (48 * 9));
  EXPECT_EQ(first.bytes, 4.0 * (2 * 48 * 7 * 5 + 33 * 48 * 9 + 33 + 2 * 33 * 4 * 3));

  const size_t before = profiler.spans().size();
  const ops::LinearWeights matrix(at::randn({24, 16}), at::randn({24}));
  const auto rows = at::randn({2, 5, 16}), residual = at::randn({2, 5, 24});
  ops::linear({rows, matrix, residual});
  const auto& second = profiler.spans().at(before);
  EXPECT_EQ(profiler.text(second.name), "linear");
  EXPECT_EQ(profiler.text(second.shape), "2x5x16 to 24");
  EXPECT_EQ(second.flops, 2.0 * (2 * 5) * 16 * 24);
  EXPECT_EQ(second.bytes, 4.0 * (10 * 16 + 16 * 24 + 24 + 10 * 24 + 10 * 24));
}

TEST(Profiler, AttentionThatLooksBackOnlyIsWorthHalf) {
  const auto x = at::randn({2, 4, 6});
  EXPECT_EQ(ops::cost(ops::AttentionCall{x, x, x, 2, false}).flops, 2.0 * 2 * 2 * (4 * 4) * 6);
  EXPECT_EQ(ops::cost(ops::AttentionCall{x, x, x, 2, true}).flops, 2.0 * 2 * 2 * (1 + 2 + 3 + 4) * 6);
}

TEST(Profiler, NarrowNumbersAreHeldAgainstTheirOwnRate) {
  const auto x = at::randn({2, 4, 6}).to(at::kBFloat16);
  EXPECT_EQ(ops::cost(ops::AttentionCall{x, x, x, 2, false}).arithmetic, Arithmetic::bf16);
}

TEST(Profiler, NamesTheFormThatRanAndTheLayer) {
  const auto x = at::randn({3, 8});
  const ScopedLayer outside("outside");
  Profiler profiler;
  const ops::ScopedForm form("reference");
  {
    const ScopedLayer layer("blocks.0", ".ff");
    ops::geglu({x});
  }
  ops::geglu({x});
  EXPECT_EQ(profiler.text(profiler.spans().at(0).form), "reference");
  EXPECT_EQ(profiler.text(profiler.spans().at(0).layer), "blocks.0.ff");
  EXPECT_EQ(profiler.text(profiler.spans().at(1).layer), "outside");
}

TEST(Profiler, RecordsOnlyWhileItLivesAndOnlyTheInnermostDoes) {
  Profiler outer;
  call("first");
  {
    const Profiler inner;
    call("second");
    EXPECT_EQ(inner.spans().size(), 1u);
  }
  call("third");
  EXPECT_EQ(outer.spans().size(), 2u);
  EXPECT_EQ(Profiler::current(), &outer);
}

TEST(Profiler, WaitsForADeviceBeforeItReadsTheClock) {
  int waited = 0;
  Profiler profiler;
  profiler.set_settle([&] { ++waited; });
  call("one");
  EXPECT_EQ(waited, 2);
}

TEST(ProfileSummary, AddsUpOperatorsLayersAndStages) {
  const Profiler profiler;
  record_drawing();
  const auto summary = ops::summarize(profiler, {});
  ASSERT_EQ(summary.operators.size(), 3u);
  double sum = 0;
  for (const auto& op : summary.operators) {
    EXPECT_EQ(op.calls, 2) << op.name;
    EXPECT_EQ(op.attained(), 0) << "without rates nobody knows";
    sum += op.seconds;
  }
  EXPECT_NEAR(sum, summary.operator_seconds, 1e-9);
  EXPECT_LE(summary.operator_seconds, summary.seconds);
  ASSERT_EQ(summary.layers.size(), 3u);
  for (const auto& layer : summary.layers) {
    EXPECT_EQ(layer.network, layer.name == "mix" ? "" : "unet");
    EXPECT_EQ(layer.layer, layer.name == "mix" ? "" : layer.name == "conv" ? "blocks.0.conv" : "blocks.0");
    EXPECT_EQ(layer.flops, layer.name == "conv" ? 8e6 : 0) << layer.name;
  }
  ASSERT_EQ(summary.stages.size(), 2u);
  EXPECT_EQ(summary.stages[0].name, "denoise");
  EXPECT_EQ(summary.stages[1].name, "unet");
  EXPECT_EQ(summary.stages[1].calls, 2);
  EXPECT_NEAR(summary.stages[0].operator_seconds, summary.operator_seconds, 1e-9);
  EXPECT_LE(summary.stages[1].operator_seconds, summary.stages[1].seconds);
}

TEST(ProfileSummary, AnOperatorInsideAnotherCountsForItself) {
  const Profiler profiler;
  {
    const Span outer("outer", "plain", [] { return ops::Cost{}; });
    call("inner");
    work();
  }
  const auto summary = ops::summarize(profiler, {});
  double sum = 0;
  for (const auto& op : summary.operators) sum += op.seconds;
  EXPECT_NEAR(sum, profiler.spans()[0].seconds, 1e-9);
}

TEST(ProfileSummary, ComparesWithWhatTheMachineAllows) {
  const ops::MachineRates rates{.threads = 1,
                                .compute = {{Arithmetic::bf16, "AVX-512 BF16", 400e9},
                                            {Arithmetic::f32, "AVX-512", 200e9},
                                            {Arithmetic::f32, "AVX2", 100e9}},
                                .memory_bytes = 10e9};
  EXPECT_DOUBLE_EQ(rates.seconds(Arithmetic::f32, 200e9, 5e9), 1.0);
  EXPECT_DOUBLE_EQ(rates.seconds(Arithmetic::f32, 200e9, 20e9), 2.0) << "memory is slower";
  EXPECT_DOUBLE_EQ(rates.seconds(Arithmetic::bf16, 200e9, 0), 0.5);
  EXPECT_DOUBLE_EQ(rates.seconds(Arithmetic::f16, 200e9, 0), 1.0) << "computed as float32";
  EXPECT_DOUBLE_EQ(rates.seconds(Arithmetic::f32, 200e9, 0, "avx2"), 2.0) << "the form has no more";
  Profiler profiler;
  call("conv", 200e3, 0);
  const auto summary = ops::summarize(profiler, rates);
  EXPECT_DOUBLE_EQ(summary.operators.at(0).attainable_seconds, 1e-6);
  const Json json = ops::to_json(summary);
  EXPECT_GT(json.at("operators").at(0).at("attained").get<double>(), 0);
  EXPECT_EQ(json.at("machine").at("compute").size(), 3u);
}

TEST(Trace, IsJsonWhoseEventsNest) {
  Profiler profiler;
  record_drawing();
  std::string text;
  ops::write_trace(profiler, "a \"quoted\" title", [&](std::string_view piece) { text += piece; });
  const Json trace = parse_json(text, "trace");
  std::vector<Json> events;
  for (const Json& event : trace.at("traceEvents")) {
    if (event.at("ph") == "X") events.push_back(event);
  }
  ASSERT_EQ(events.size(), profiler.spans().size());
  EXPECT_EQ(events[1].at("name"), "step 1");
  for (size_t i = 0; i < events.size(); ++i) {
    const double start = events[i].at("ts"), end = start + events[i].at("dur").get<double>();
    const int parent = profiler.spans()[i].parent;
    EXPECT_EQ(parent < 0, i == 0);
    if (parent < 0) continue;
    const double outer = events[parent].at("ts"), outer_end = outer + events[parent].at("dur").get<double>();
    EXPECT_GE(start, outer);
    EXPECT_LE(end, outer_end + 1e-3) << "to the nanosecond";
  }
  const auto conv = std::find_if(events.begin(), events.end(), [](const Json& e) { return e.at("name") == "conv"; });
  ASSERT_NE(conv, events.end());
  EXPECT_EQ(conv->at("cat"), "operator");
  EXPECT_EQ(conv->at("args").at("layer"), "blocks.0.conv");
  EXPECT_DOUBLE_EQ(conv->at("args").at("GFLOP"), 4e-3);
}

TEST(Machine, IsMeasuredForEveryInstructionSetItHas) {
  const auto rates = ops::measure_machine(1);
  EXPECT_EQ(rates.threads, 1);
  EXPECT_GT(rates.memory_bytes, 0);
  ASSERT_NE(rates.best(Arithmetic::f32), nullptr);
  for (const auto& rate : rates.compute) EXPECT_GT(rate.flops, 0) << rate.instructions;
  for (const auto arithmetic : {Arithmetic::bf16, Arithmetic::int8}) {
    const bool tiles_alone = !processor().has(InstructionSet::avx512_bf16) && arithmetic == Arithmetic::bf16;
    if (!processor().native(arithmetic) || tiles_alone) continue;
    EXPECT_EQ(rates.best(arithmetic)->arithmetic, arithmetic);
  }
}

}  // namespace
}  // namespace fresco::test
