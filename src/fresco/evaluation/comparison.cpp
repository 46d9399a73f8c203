#include "fresco/evaluation/comparison.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <numeric>

namespace fresco::evaluation {
namespace {

Spread spread_of(const std::vector<RunTimes>& runs, const std::function<double(const RunTimes&)>& value) {
  std::vector<double> values;
  for (const RunTimes& run : runs) values.push_back(value(run));
  return spread(values);
}

Spread steps_of(const std::vector<RunTimes>& runs) {
  std::vector<double> all;
  for (const RunTimes& run : runs) all.insert(all.end(), run.steps.begin(), run.steps.end());
  return spread(all);
}

double per(double amount, double of) { return of > 0 ? amount / of : 0; }

// Settings that tell two runs of one model apart, with the words that do.
std::string setting_words(const Json& settings, const char* key) {
  const auto found = settings.find(key);
  if (found == settings.end()) return "";
  const std::string value = found->is_string() ? found->get<std::string>() : found->dump();
  const std::string_view name = key;
  if (name == "steps") return value + " steps";
  if (name == "guidance") return "guidance " + value;
  if (name == "guidance_rescale") return "rescale " + value;
  if (name == "memory") return "memory " + value;
  if (name == "ops") return "operators " + value;
  if (name == "width") return value + " wide";
  if (name == "height") return value + " high";
  return value;
}

std::array<std::string, 2> labels(const Measurement& a, const Measurement& b) {
  std::array<std::string, 2> names{checkpoint::short_name(a.model), checkpoint::short_name(b.model)};
  if (names[0] != names[1]) return names;
  std::array<std::string, 2> words;
  for (const char* key :
       {"steps", "sampler", "precision", "memory", "ops", "guidance", "guidance_rescale", "width", "height"}) {
    const std::string first = setting_words(a.settings, key), second = setting_words(b.settings, key);
    if (first == second) continue;
    words[0] += (words[0].empty() ? "" : ", ") + first;
    words[1] += (words[1].empty() ? "" : ", ") + second;
  }
  if (words[0].empty()) words = {"A", "B"};
  return {fmt::format("{} ({})", names[0], words[0]), fmt::format("{} ({})", names[1], words[1])};
}

// 10 log10(255^2 / mean square difference)
double psnr(const image::Picture& a, const image::Picture& b) {
  const double sum = std::transform_reduce(a.pixels.begin(), a.pixels.end(), b.pixels.begin(), 0.0, std::plus<>(),
                                           [](double x, double y) { return (x - y) * (x - y); });
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.pixels.size()) / sum);
}

std::vector<PicturePair> pairs_of(const Comparison& comparison) {
  std::vector<PicturePair> pairs;
  const auto& a = comparison.sides[0].measured.pictures;
  const auto& b = comparison.sides[1].measured.pictures;
  for (size_t k = 0; k < std::min(a.size(), b.size()); ++k) {
    PicturePair pair{.prompt = comparison.conditions.prompts[k], .seed = comparison.conditions.seeds[k]};
    pair.equal = a[k] == b[k];
    const bool same_size = a[k].width == b[k].width && a[k].height == b[k].height;
    if (!pair.equal && same_size && comparison.same_weights()) pair.psnr = psnr(a[k], b[k]);
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

Verdict verdict_of(const Summary& a, const Summary& b) {
  const double ratio = per(b.picture.median, a.picture.median);  // above 1: A is faster
  if (ratio <= 0) return {};
  const double factor = std::max(ratio, 1 / ratio);
  return {factor < kEqual ? -1 : ratio > 1 ? 0 : 1, factor};
}

}  // namespace

Summary summarize(const Measurement& m, std::optional<double> price_per_hour) {
  Summary s;
  s.step = steps_of(m.runs);
  s.picture = spread_of(m.runs, [](const RunTimes& run) { return run.seconds; });
  s.text = spread_of(m.runs, [](const RunTimes& run) { return run.text; });
  s.denoise = spread_of(m.runs, [](const RunTimes& run) { return run.denoise; });
  s.decode = spread_of(m.runs, [](const RunTimes& run) { return run.decode; });
  s.iterations_per_second = per(1, s.step.median);
  s.pictures_per_hour = per(3600, s.picture.mean);
  s.hours_per_10000 = per(10000, s.pictures_per_hour);
  if (price_per_hour) s.cost_per_10000 = *price_per_hour * s.hours_per_10000;
  s.multiply_adds_per_second = per(static_cast<double>((m.guided() ? 2 : 1) * m.unet_call.total()), s.step.median);
  return s;
}

Comparison compare(Conditions conditions, Measurement a, Measurement b) {
  Comparison comparison;
  const auto names = labels(a, b);
  const auto price = conditions.price_per_hour;
  comparison.conditions = std::move(conditions);
  comparison.sides[0] = {names[0], std::move(a), {}};
  comparison.sides[1] = {names[1], std::move(b), {}};
  for (Contestant& side : comparison.sides) side.summary = summarize(side.measured, price);
  comparison.pairs = pairs_of(comparison);
  comparison.verdict = verdict_of(comparison.sides[0].summary, comparison.sides[1].summary);
  return comparison;
}

}  // namespace fresco::evaluation
