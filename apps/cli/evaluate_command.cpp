#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "commands.h"
#include "default_model.h"
#include "fresco/core/error.h"
#include "fresco/core/memory.h"
#include "fresco/evaluation/shapes_measure.h"
#include "fresco/report/machine.h"
#include "output.h"
#include "report_folder.h"
#include "reporter.h"
#include "targets.h"

namespace fresco::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kExamples = R"(Examples:
  fresco evaluate shapes
  fresco evaluate shapes runs/starter/model --out measured)";

constexpr const char* kOverview = R"(Measures what a model draws.

Usage: fresco evaluate MEASURE ...

Measures:
  shapes      Of sentences about shapes: colours, relations and kinds of shape that are drawn as said

`fresco evaluate MEASURE --help` shows a measure's options.
)";

struct Options {
  std::optional<int64_t> count, held_out, batch;
  std::optional<int> steps, threads;
  std::optional<double> guidance, guidance_rescale;
  std::optional<std::string> sampler, seed, out, device, precision, ops, revision;
  bool overwrite = false, json = false, quiet = false;
};

void declare(CLI::App& app, Options& options) {
  add_integer(app, "--count", options.count, 0, 100'000, "Unseen sentences (default 500)");
  add_integer(app, "--held-out", options.held_out, 0, 100'000, "Sentences with held-out combinations (default 100)");
  add_text(app, "--seed", options.seed, "N", "Of sentences and pictures (default 1)");
  add_integer(app, "--steps", options.steps, 1, 10'000, "Steps a picture (default 30)");
  add_text(app, "--sampler", options.sampler, "NAME", "Another sampler than the model's own");
  add_real(app, "--guidance", options.guidance, "How strongly the sentence is followed (default 5)");
  add_real(app, "--guidance-rescale", options.guidance_rescale, "0 to 1 (default 0.7)");
  add_integer(app, "--batch", options.batch, 1, 4096, "Pictures drawn at once (default 16)");
  add_text(app, "--revision", options.revision, "NAME", "Branch, tag or commit of a hub id");
  add_text(app, "--device", options.device, "auto|cpu|cuda", "Where it runs (default auto)");
  add_text(app, "--precision", options.precision, "auto|f32|bf16|f16|int8|fast",
           "What products multiply (default auto)");
  add_text(app, "--ops", options.ops, "auto|reference|...", "Forms of operators (default auto)");
  add_integer(app, "--threads", options.threads, 1, 4096, "Threads of the CPU (default: all processors)");
  add_text(app, "--out", options.out, "FOLDER", "Where report.html and report.json go\n(default shapes-MODEL)");
  app.add_flag("--overwrite", options.overwrite, "Replace a report that exists");
  app.add_flag("--json", options.json, "Tell progress and the result as JSON, an object a line");
  app.add_flag("--quiet", options.quiet, "Print only warnings and errors");
  app.footer(kExamples);
}

evaluation::ShapesJob job_of(const Options& options) {
  evaluation::ShapesJob job;
  job.unseen = options.count.value_or(job.unseen);
  job.held_out = options.held_out.value_or(job.held_out);
  if (job.unseen + job.held_out == 0) throw InputError("--count", "expected something to draw, got 0 sentences");
  if (options.seed) job.seed = static_cast<uint64_t>(parse_integer("--seed", *options.seed, 0, int64_t{1} << 62));
  job.portion = options.batch.value_or(job.portion);
  job.request.steps = options.steps.value_or(30);
  job.request.guidance = options.guidance.value_or(5);
  job.request.guidance_rescale = options.guidance_rescale.value_or(0.7);
  job.request.sampler = options.sampler.value_or("");
  return job;
}

pipeline::LoadOptions load_of(const Options& options, const std::string& model) {
  pipeline::LoadOptions load;
  load.files.model = model;
  load.files.revision = options.revision.value_or("");
  load.device = parse_device(options.device.value_or("auto"));
  load.precision = parse_precision(options.precision.value_or("auto"));
  load.ops = options.ops.value_or("auto");
  load.threads = options.threads.value_or(0);
  return load;
}

std::string default_folder(const std::string& model) {
  const std::filesystem::path path(model);
  const auto last = path.has_filename() ? path.filename() : path.parent_path().filename();
  return "shapes-" + file_name_part(last.string());
}

void evaluate_shapes(const Arguments& arguments) {
  CLI::App app(
      "Draws sentences about shapes that training never shows, reads the pictures, and counts the backgrounds, "
      "colours,\n"
      "relations and kinds of shape that are as they were said.",
      "fresco evaluate shapes");
  Options options;
  declare(app, options);
  Operands models{.usage = "MODEL", .most = 1, .found = {}};
  if (!parse(app, arguments, models)) return;
  const auto start = Clock::now();
  const auto seconds = [start] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const auto reporter = make_reporter(report_style(options.json, options.quiet));
  const std::string name = models.found.empty() ? default_model() : models.found.front();
  const auto job = job_of(options);
  const auto load = load_of(options, name);
  const std::filesystem::path folder =
      options.out ? std::filesystem::path(*options.out) : free_folder(default_folder(name));
  check_report_folder(folder, options.overwrite);

  const auto model = pipeline::Model::load(load, *reporter);
  reporter->on_load({{"model", name}, {"seconds", seconds()}});
  const auto measure =
      evaluation::measure_shapes(model, job, *reporter, [&](int index, int of) { reporter->begin_portion(index, of); });
  const evaluation::ShapesConditions conditions{.model = name,
                                                .family = std::string(checkpoint::name(model.family())),
                                                .hash = model.weights_hash(),
                                                .date = report::time_now(),
                                                .seconds = seconds(),
                                                .machine = report::to_json(report::this_machine())};
  const Json json = evaluation::shapes_json(measure, conditions);
  write_report(folder,
               {{"report.html", evaluation::shapes_html(measure, conditions)},
                {"report.json", json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"}},
               options.overwrite);
  reporter->on_note(evaluation::shapes_text(measure));
  reporter->on_done({{"files", {(folder / "report.html").string(), (folder / "report.json").string()}},
                     {"seconds", seconds()},
                     {"peak_memory_bytes", peak_memory_bytes()},
                     {"settings", measure.settings},
                     {"unseen", json.at("unseen")},
                     {"held_out", json.at("held_out")}});
}

}  // namespace

void evaluate_command(const Arguments& arguments) {
  const std::string word = arguments.empty() ? "--help" : arguments.front();
  if (word == "--help" || word == "-h") return write_out(kOverview);
  if (word == "shapes") return evaluate_shapes({arguments.begin() + 1, arguments.end()});
  throw InputError(fmt::format("fresco evaluate {}", printable(word, 60)), "unknown measure; known: shapes");
}

}  // namespace fresco::cli
