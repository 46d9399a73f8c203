#include <fmt/format.h>

#include <chrono>

#include "calibration_report.h"
#include "commands.h"
#include "default_model.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/memory.h"
#include "fresco/pipeline/calibrate.h"
#include "output.h"
#include "progress_bar.h"
#include "prompts.h"
#include "reporter.h"

namespace fresco::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  fresco calibrate Deci/DeciDiffusion-v1-0 --out deci-int8.json
  fresco draw "a castle" --model Deci/DeciDiffusion-v1-0 --precision int8 --calibration deci-int8.json
  fresco calibrate my-model --prompts my-prompts.txt --out my-model/calibration.json
`fresco draw` finds a calibration.json in a model's folder by itself; `fresco pack --precision int8` calibrates as it packs.)";

struct Options {
  std::optional<std::string> out, prompts, revision, config, vae;
  std::optional<int> steps, threads;
  bool overwrite = false, json = false, quiet = false;
};

void declare(CLI::App& app, Options& options) {
  add_text(app, "--out", options.out, "FILE", "The file to write (JSON)");
  add_text(app, "--prompts", options.prompts, "FILE", "Prompts to draw, one a line (default: four of many kinds)");
  add_integer(app, "--steps", options.steps, 1, 1000, "Steps of each picture (default 4)");
  add_text(app, "--revision", options.revision, "NAME", "Branch, tag or commit of a hub id");
  add_text(app, "--config", options.config, "FOLDER", "Folder whose configs describe a single file");
  add_text(app, "--vae", options.vae, "MODEL", "Another VAE: folder, file or hub id");
  add_integer(app, "--threads", options.threads, 1, 4096, "Threads of the CPU (default: all processors)");
  app.add_flag("--overwrite", options.overwrite, "Replace a file that exists");
  app.add_flag("--json", options.json, "Tell progress and the result as JSON, an object a line");
  app.add_flag("--quiet", options.quiet, "Print only warnings and errors");
  app.footer(kExamples);
}

pipeline::CalibrateRequest request_of(const Options& options, const std::string& model) {
  pipeline::CalibrateRequest request;
  request.load.files = {model, options.revision.value_or(""), options.vae.value_or(""), options.config.value_or("")};
  request.load.threads = options.threads.value_or(0);
  if (options.prompts) request.prompts = read_prompts(*options.prompts);
  request.steps = options.steps.value_or(request.steps);
  return request;
}

}  // namespace

void calibrate_command(const Arguments& arguments) {
  CLI::App app(
      "Measures how each matrix of a model bears products of 8-bit integers, on values that come by while\n"
      "pictures are drawn, and writes which are to be kept in bfloat16 by --precision int8.",
      "fresco calibrate");
  Options options;
  declare(app, options);
  Operands models{.usage = "MODEL", .most = 1, .found = {}};
  if (!parse(app, arguments, models)) return;
  const auto start = std::chrono::steady_clock::now();
  const auto style = report_style(options.json, options.quiet);
  const auto reporter = make_reporter(style);
  if (!options.out) throw InputError("--out", "expected the name of the file to write, got nothing");
  check_writable(*options.out, options.overwrite);
  const auto request = request_of(options, models.found.empty() ? default_model() : models.found.front());
  const auto found = pipeline::calibrate(request, *reporter);
  write_file(*options.out, checkpoint::to_json(found).dump(1) + "\n", options.overwrite);
  if (style == ReportStyle::text) write_out(calibration_report(found));
  reporter->on_done({{"files", {*options.out}},
                     {"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()},
                     {"peak_memory_bytes", peak_memory_bytes()},
                     {"settings", checkpoint::to_json(found)}});
}

}  // namespace fresco::cli
