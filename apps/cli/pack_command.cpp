#include <fmt/format.h>

#include <chrono>

#include "calibration_report.h"
#include "commands.h"
#include "default_model.h"
#include "fresco/core/error.h"
#include "fresco/core/memory.h"
#include "fresco/core/names.h"
#include "fresco/pipeline/pack.h"
#include "progress_bar.h"
#include "prompts.h"
#include "reporter.h"

namespace fresco::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  fresco pack Deci/DeciDiffusion-v1-0 --out deci.fresco
  fresco draw "a lighthouse in a storm" --model deci.fresco
  fresco pack v1-5.safetensors --vae vae-ft-mse --out sd.fresco --precision fast)";

struct Options {
  std::optional<std::string> out, revision, config, vae, precision, calibrate, calibration, ops;
  std::optional<int> threads;
  bool overwrite = false, json = false, quiet = false;
};

void declare(CLI::App& app, Options& options) {
  add_text(app, "--out", options.out, "FILE", "The file to write");
  add_text(app, "--precision", options.precision, "auto|f32|bf16|int8|fast",
           "What products multiply (default auto: f32); fast is the\nfastest that this processor has");
  add_text(
      app, "--calibrate", options.calibrate, "FILE",
      "With int8: prompts, one a line, to measure with which matrices\nare kept in bf16 (default: four of many kinds)");
  add_text(app, "--calibration", options.calibration, "FILE", "With int8: what `fresco calibrate` found");
  add_text(app, "--ops", options.ops, "auto|avx2|avx512|...",
           "Pack for a lesser instruction set than this processor's");
  add_text(app, "--revision", options.revision, "NAME", "Branch, tag or commit of a hub id");
  add_text(app, "--config", options.config, "FOLDER", "Folder whose configs describe a single file");
  add_text(app, "--vae", options.vae, "MODEL", "Another VAE: folder, file or hub id");
  add_integer(app, "--threads", options.threads, 1, 4096, "Threads of the CPU (default: all processors)");
  app.add_flag("--overwrite", options.overwrite, "Replace a file that exists");
  app.add_flag("--json", options.json, "Tell progress and the result as JSON, an object a line");
  app.add_flag("--quiet", options.quiet, "Print only warnings and errors");
  app.footer(kExamples);
}

pipeline::PackRequest request_of(const Options& options, const std::string& model) {
  if (!options.out) throw InputError("--out", "expected the name of the file to write, got nothing");
  if (options.calibrate && options.calibration)
    throw InputError("--calibrate", "expected it or --calibration, got both");
  pipeline::PackRequest request;
  request.load.files = {model, options.revision.value_or(""), options.vae.value_or(""), options.config.value_or("")};
  request.load.precision = parse_precision(options.precision.value_or("auto"));
  request.load.ops = options.ops.value_or("auto");
  request.load.threads = options.threads.value_or(0);
  request.load.calibration = read_calibration(options.calibration);
  request.out = *options.out;
  if (options.calibrate) request.prompts = read_prompts(*options.calibrate, "--calibrate");
  request.overwrite = options.overwrite;
  return request;
}

}  // namespace

void pack_command(const Arguments& arguments) {
  CLI::App app(
      "Writes a model into one file with its weights as this processor's operators read them.\n"
      "--model draws from it like from any other; it is mapped into memory and ready at once.",
      "fresco pack");
  Options options;
  declare(app, options);
  Operands models{.usage = "MODEL", .most = 1, .found = {}};
  if (!parse(app, arguments, models)) return;
  const auto start = std::chrono::steady_clock::now();
  const auto reporter = make_reporter(report_style(options.json, options.quiet));
  const auto request = request_of(options, models.found.empty() ? default_model() : models.found.front());
  const auto result = pipeline::pack(request, *reporter);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (result.calibration) reporter->on_note(calibration_report(*result.calibration));
  reporter->on_note(fmt::format("packed for {} in {}, {}", result.isa, name(result.precision),
                                size_text(static_cast<double>(result.bytes))));
  reporter->on_done({{"files", {*options.out}},
                     {"seconds", seconds},
                     {"peak_memory_bytes", peak_memory_bytes()},
                     {"settings",
                      {{"isa", result.isa},
                       {"precision", name(result.precision)},
                       {"bytes", result.bytes},
                       {"calibration", result.calibration ? checkpoint::to_json(*result.calibration) : Json()}}}});
}

}  // namespace fresco::cli
