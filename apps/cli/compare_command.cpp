#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "commands.h"
#include "compare_job.h"
#include "fresco/core/error.h"
#include "fresco/evaluation/apart.h"
#include "fresco/evaluation/comparison.h"
#include "fresco/evaluation/metrics.h"
#include "fresco/evaluation/report.h"
#include "fresco/report/format.h"
#include "fresco/report/machine.h"
#include "interrupt.h"
#include "record.h"
#include "report_folder.h"
#include "reporter.h"

namespace fresco::cli {
namespace {

using evaluation::Comparison;
using evaluation::Measurement;
using Clock = std::chrono::steady_clock;

constexpr std::array<const char*, 2> kSides = {"a", "b"};
constexpr const char* kMeasureCommand = "measure-one";

class CompareRun {
 public:
  CompareRun(const CompareOptions& options, const std::vector<std::string>& models, Reporter& reporter)
      : options_(options), reporter_(reporter), job_(make_compare_job(options, models, reporter)) {}

  void run() {
    evaluation::Conditions conditions = this->conditions();
    warn_of_load(conditions.machine);
    Measurement a = measure(0);
    Measurement b = measure(1);
    Comparison comparison = compare(std::move(conditions), std::move(a), std::move(b));
    for (size_t k = 0; k < job_.names.size(); ++k)
      comparison.pairs[k].files = {"a/" + job_.names[k], "b/" + job_.names[k]};
    check_cancelled(reporter_);
    write(comparison);
    report_done(comparison);
  }

 private:
  evaluation::Conditions conditions() const {
    return {.prompts = job_.prompts(),
            .seeds = job_.seeds(),
            .repeat = job_.measures[0].repeat,
            .price_per_hour = options_.price_per_hour,
            .machine = report::this_machine(),
            .date = report::time_now()};
  }

  void warn_of_load(const report::Machine& machine) {
    if (machine.load < 0.5 * machine.processors) return;
    reporter_.on_warning(
        fmt::format("the machine is busy (load {:.1f} with {} processors): times will be longer than they need be",
                    machine.load, machine.processors));
  }

  Measurement measure(size_t side) {
    const std::string& model = *job_.choices[side].model;
    reporter_.begin_side(kSides[side], {{"model", model}, {"pictures", job_.names.size()}});
    Measurement measured =
        evaluation::measure_apart({"/proc/self/exe", kMeasureCommand}, job_.measures[side], reporter_);
    const auto summary = evaluation::summarize(measured, {});
    reporter_.on_note(fmt::format(
        "   {} a picture, {} a step, {} of memory", report::seconds_text(summary.picture.median),
        report::seconds_text(summary.step.median), report::bytes_text(static_cast<double>(measured.peak_memory))));
    return measured;
  }

  /// The picture's file as `fresco draw` writes it.
  std::string picture_file(const Comparison& comparison, size_t side, size_t k) const {
    const Measurement& measured = comparison.sides[side].measured;
    Record record;
    record.prompt = job_.prompts()[k];
    record.seed = job_.seeds()[k];
    record.choices = job_.choices[side];
    Json settings = measured.settings;
    settings["prompts"] = Json::array({record.prompt});
    settings["seed"] = record.seed;
    take_resolved(record.choices, settings);
    record.version = version();
    record.model = measured.model;
    record.model_hash = measured.hash;
    image::WriteOptions write;
    write.texts = record_texts(record, settings);
    return image::encode_picture(".png", measured.pictures[k], write);
  }

  void write(const Comparison& comparison) {
    std::vector<NamedBytes> files;
    for (size_t side = 0; side < 2; ++side) {
      for (size_t k = 0; k < job_.names.size(); ++k)
        files.emplace_back(comparison.pairs[k].files[side], picture_file(comparison, side, k));
    }
    const Json json = report_json(comparison);
    files.emplace_back("report.json", json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    files.emplace_back("report.html", report_html(comparison));
    write_report(job_.folder, files, options_.overwrite);
  }

  void report_done(const Comparison& comparison) {
    reporter_.begin_side("", {});
    reporter_.on_note(verdict_text(comparison));
    const auto place = [this](const char* name) { return (job_.folder / name).string(); };
    const auto& [a, b] = comparison.sides;
    const Json json = report_json(comparison);
    reporter_.on_done({{"files", {place("report.html"), place("report.json")}},
                       {"verdict", json.at("verdict")},
                       {"ratios", json.at("ratios")},
                       {"seconds", std::chrono::duration<double>(Clock::now() - start_).count()},
                       {"peak_memory_bytes", std::max(a.measured.peak_memory, b.measured.peak_memory)}});
  }

  Clock::time_point start_ = Clock::now();
  const CompareOptions& options_;
  Reporter& reporter_;
  CompareJob job_;
};

}  // namespace

void compare_command(const Arguments& arguments) {
  CLI::App app(
      "Draws the same sentences from the same seeds with two models, one after the other, and writes a page that\n"
      "compares their time, memory, size, cost and pictures. One command for the comparison that DeciDiffusion was\n"
      "published with: each model takes the steps it was published with.",
      "fresco compare");
  CompareOptions options;
  declare(app, options);
  Operands models{.usage = "MODEL_A MODEL_B", .most = 2, .found = {}};
  if (!parse(app, arguments, models)) return;
  if (models.found.size() != 2)
    throw InputError("fresco compare",
                     fmt::format("expected MODEL_A MODEL_B, got {} of them", models.found.empty() ? "none" : "one"));
  const ReportStyle style = report_style(options.json, options.quiet);
  const auto reporter = make_reporter(style);
  CompareRun(options, models.found, *reporter).run();
}

void measure_command(const Arguments&) { evaluation::serve_measurement(interrupted); }

}  // namespace fresco::cli
