// What a comparison says in words.
#include <fmt/format.h>

#include "fresco/evaluation/comparison.h"
#include "fresco/report/format.h"

namespace fresco::evaluation {

using report::figure;
using report::seconds_text;
namespace {

std::string with_steps(const Contestant& side) {
  if (side.label.find(" steps") != std::string::npos) return side.label;
  const int64_t steps = side.measured.steps();
  return fmt::format("{} with {} step{}", side.label, steps, steps == 1 ? "" : "s");
}

std::string size_of(const Measurement& m) {
  return fmt::format("{}x{}", m.settings.value("width", 0), m.settings.value("height", 0));
}

// "1.23 s for A and 1.34 s for B"
template <typename Value>
std::string of_both(const Comparison& comparison, Value&& value) {
  return fmt::format("{} for A and {} for B", value(comparison.sides[0]), value(comparison.sides[1]));
}

std::string where_it_ran(const Measurement& m) {
  if (m.settings.value("device", "") == "cuda") return "on the GPU";
  const int threads = m.settings.value("threads", 1);
  return fmt::format("on the CPU with {} thread{}", threads, threads == 1 ? "" : "s");
}

std::string how_often(const Comparison& comparison) {
  const size_t pictures = comparison.pairs.size();
  const int repeat = comparison.conditions.repeat;
  const std::string times = repeat == 1 ? "" : repeat == 2 ? ", each twice" : fmt::format(", each {} times", repeat);
  return fmt::format("{} picture{}{}", pictures, pictures == 1 ? "" : "s", times);
}

std::string memory_text(const Comparison& comparison) {
  const bool gpu = comparison.sides[0].measured.settings.value("device", "") == "cuda";
  return std::string(
             "Peak memory is the largest resident size of the model's own process, from loading to the last "
             "picture; mapped files count as far as they were read.") +
         (gpu ? " Memory of the GPU is not in it." : "");
}

}  // namespace

std::string verdict_text(const Comparison& comparison) {
  const auto& sides = comparison.sides;
  const Verdict& verdict = comparison.verdict;
  if (verdict.faster < 0) {
    return fmt::format("{} and {} take the same time for a picture, within 2 %: {} and {}.", with_steps(sides[0]),
                       with_steps(sides[1]), seconds_text(sides[0].summary.picture.median),
                       seconds_text(sides[1].summary.picture.median));
  }
  const Contestant& fast = sides[static_cast<size_t>(verdict.faster)];
  const Contestant& slow = sides[static_cast<size_t>(1 - verdict.faster)];
  return fmt::format("{} is {} times as fast as {}: {} a picture against {}.", with_steps(fast), figure(verdict.factor),
                     with_steps(slow), seconds_text(fast.summary.picture.median),
                     seconds_text(slow.summary.picture.median));
}

std::string reason_text(const Comparison& comparison) {
  const auto& [a, b] = comparison.sides;
  std::string text = fmt::format(
      "A U-Net call takes {} in A and {} in B; a picture takes {} and {} of them, and {} and {} for text and decoding.",
      seconds_text(a.summary.step.median), seconds_text(b.summary.step.median), a.measured.model_calls(),
      b.measured.model_calls(), seconds_text(a.summary.text.median + a.summary.decode.median),
      seconds_text(b.summary.text.median + b.summary.decode.median));
  if (size_of(a.measured) != size_of(b.measured))
    text += fmt::format(" Mind that the pictures differ in size: {} and {}.", size_of(a.measured), size_of(b.measured));
  return text;
}

std::vector<std::string> method_texts(const Comparison& comparison) {
  const auto seconds_of = [&](double Measurement::*part) {
    return of_both(comparison, [part](const Contestant& side) { return seconds_text(side.measured.*part); });
  };
  const char* const times =
      "A picture's seconds run from the sentence to the finished pixels. A step is one call of the U-Net (for two "
      "samples at once when guided) and what the sampler does around it. Figures are medians; nine in ten lie below "
      "p90.";
  const char* const rates =
      "Pictures an hour come from the sum of all times, one picture after the other; the price of 10,000 is that of "
      "the hours they take.";
  const char* const work =
      "Multiply-adds are counted from the shapes of the layers, as a direct method does them; the text encoder's few "
      "are left out.";
  return {
      fmt::format("Each model ran {}, in a process of its own: first A, then B, never both loaded. The same sentences "
                  "and seeds; {}, one at a time.",
                  where_it_ran(comparison.sides[0].measured), how_often(comparison)),
      fmt::format("Not counted: loading ({}); a picture of one step to warm up ({}), in which weights are packed for "
                  "the processor and caches fill; writing files.",
                  seconds_of(&Measurement::load_seconds), seconds_of(&Measurement::warm_up_seconds)),
      times,
      rates,
      memory_text(comparison),
      work};
}

}  // namespace fresco::evaluation
