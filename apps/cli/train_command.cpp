#include <fmt/format.h>

#include "commands.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/names.h"
#include "fresco/training/check_recipe.h"
#include "fresco/training/job_place.h"
#include "fresco/training/read_recipe.h"
#include "fresco/training/train_report.h"
#include "fresco/training/trainer.h"
#include "output.h"
#include "reporter.h"
#include "train_reporter.h"

namespace fresco::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  fresco train recipes/starter.yaml --out runs/starter
  fresco train recipes/starter.yaml --out runs/starter        (goes on where it was stopped)
  fresco train --report runs/starter                          (a page about it, at any time)
  fresco train my-recipe.yaml --check
  fresco draw "a red circle" --model runs/starter/model)";

struct Options {
  std::optional<std::string> out, init, device, report;
  std::optional<int> threads;
  bool check = false, accept_changes = false, json = false, quiet = false;
};

void declare(CLI::App& app, Options& options) {
  add_text(app, "--out", options.out, "FOLDER", "The run's folder (default: runs/NAME); one with a checkpoint goes on");
  add_text(app, "--init", options.init, "MODEL", "Start from this model's weights: folder, single file or hub id");
  add_text(app, "--device", options.device, "auto|cpu|cuda", "Where to train (default auto: a GPU where there is one)");
  add_text(app, "--report", options.report, "FOLDER",
           "Write report.html of a run as far as it has come; train nothing");
  app.add_flag("--check", options.check, "Check the recipe and what it names; train nothing");
  app.add_flag("--accept-changes", options.accept_changes, "Go on although the recipe is another one by now");
  add_integer(app, "--threads", options.threads, 1, 4096, "Threads of the CPU (default: all processors)");
  app.add_flag("--json", options.json, "Tell progress and the result as JSON, an object a line");
  app.add_flag("--quiet", options.quiet, "Print only warnings and errors");
  app.footer(kExamples);
}

training::TrainRequest request_of(const Options& options, const std::string& file) {
  training::TrainRequest request;
  request.recipe = training::read_recipe(file);
  if (options.init) {
    request.recipe.model = *options.init;
    request.recipe.from_nothing = false;
  }
  request.recipe_text = read_file(file, uint64_t{1} << 20);
  request.folder = options.out.value_or(fmt::format("runs/{}", request.recipe.name));
  request.accept_changes = options.accept_changes;
  request.device = parse_device(options.device.value_or("auto"));
  request.threads = options.threads.value_or(0);
  return request;
}

void write_report(const std::string& path, const std::vector<std::string>& recipes) {
  if (!recipes.empty())
    throw InputError("--report", "takes the folder of a run and no recipe, got " + printable(recipes.front()));
  const training::RunFolder folder{path};
  training::write_train_report(folder);
  write_out(fmt::format("wrote {}\n", folder.report().string()));
}

// All of them, unlike a training, which stops at the first.
void tell(const training::RecipeFindings& findings, const training::Recipe& recipe) {
  std::string lines;
  for (const auto& problem : findings.problems) lines += fmt::format("{}: {}\n", recipe.place, problem);
  for (const auto& warning : findings.warnings) lines += fmt::format("{}: warning: {}\n", recipe.place, warning);
  write_out(findings.problems.empty() ? lines + fmt::format("{}: nothing wrong\n", recipe.place) : lines);
  training::require_sound(recipe, findings);
}

}  // namespace

void train_command(const Arguments& arguments) {
  CLI::App app(
      "Trains a model by a recipe: its phases one after the other, to a folder that draws.\n"
      "docs/training.md tells what a recipe says.",
      "fresco train");
  Options options;
  declare(app, options);
  Operands recipes{.usage = "RECIPE", .most = 1, .found = {}};
  if (!parse(app, arguments, recipes)) return;
  if (options.report) return write_report(*options.report, recipes.found);
  if (recipes.found.empty()) throw InputError("fresco train", "expected a recipe, got none; recipes/ holds some");
  const auto style = report_style(options.json, options.quiet);
  const auto reporter = make_train_reporter(style);
  const auto request = request_of(options, recipes.found.front());
  const auto findings = training::check_recipe(request.recipe, training::job_place_from_environment().size);
  if (options.check) return tell(findings, request.recipe);
  training::require_sound(request.recipe, findings);
  for (const auto& warning : findings.warnings) reporter->on_warning(warning);
  training::train(request, *reporter);
}

}  // namespace fresco::cli
