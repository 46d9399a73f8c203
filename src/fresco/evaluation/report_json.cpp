#include "fresco/core/names.h"
#include "fresco/evaluation/metrics.h"
#include "fresco/evaluation/report.h"
#include "fresco/evaluation/wire.h"

namespace fresco::evaluation {
namespace {

constexpr int kSchema = 1;

Json to_json(const Spread& spread) {
  return {{"count", spread.count}, {"min", spread.least}, {"median", spread.median},
          {"p90", spread.p90},     {"max", spread.most},  {"mean", spread.mean}};
}

Json side_json(const Contestant& side) {
  Json json = evaluation::to_json(side.measured);
  json["label"] = side.label;
  json["spread"] = {{"step", to_json(side.summary.step)},
                    {"picture", to_json(side.summary.picture)},
                    {"text", to_json(side.summary.text)},
                    {"denoise", to_json(side.summary.denoise)},
                    {"decode", to_json(side.summary.decode)}};
  // These stand among the figures, under the names that the table has.
  for (const char* key : {"load_seconds", "warm_up_seconds", "loaded_memory", "peak_memory"}) json.erase(key);
  return json;
}

Json pairs_json(const Comparison& comparison) {
  Json pairs = Json::array();
  for (const PicturePair& pair : comparison.pairs) {
    Json json = {{"prompt", pair.prompt}, {"seed", pair.seed}, {"equal", pair.equal}};
    json["psnr_db"] = pair.psnr ? Json(*pair.psnr) : Json();
    json["files"] = pair.files;
    pairs.push_back(std::move(json));
  }
  return pairs;
}

Json verdict_json(const Comparison& comparison) {
  const Verdict& verdict = comparison.verdict;
  return {{"faster", verdict.faster < 0    ? "equal"
                     : verdict.faster == 0 ? "a"
                                           : "b"},
          {"factor", verdict.factor},
          {"text", verdict_text(comparison)}};
}

}  // namespace

Json report_json(const Comparison& comparison) {
  const Conditions& conditions = comparison.conditions;
  Json json = {{"schema", kSchema},
               {"version", version()},
               {"date", conditions.date},
               {"machine", to_json(conditions.machine)},
               {"repeat", conditions.repeat},
               {"verdict", verdict_json(comparison)},
               {"a", side_json(comparison.sides[0])},
               {"b", side_json(comparison.sides[1])},
               {"pairs", pairs_json(comparison)},
               {"method", method_texts(comparison)}};
  json["price_per_hour"] = conditions.price_per_hour ? Json(*conditions.price_per_hour) : Json();
  for (const Metric& metric : metrics(comparison)) {
    json["a"]["figures"][metric.key] = metric.values[0];
    json["b"]["figures"][metric.key] = metric.values[1];
    json["ratios"][metric.key] = metric.ratio() ? Json(*metric.ratio()) : Json();
  }
  return json;
}

}  // namespace fresco::evaluation
