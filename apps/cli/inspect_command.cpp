#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration_report.h"
#include "commands.h"
#include "default_model.h"
#include "fresco/checkpoint/packed_file.h"
#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/ops/machine_rate.h"
#include "fresco/pipeline/inspect.h"
#include "machine_report.h"
#include "output.h"
#include "progress_bar.h"
#include "reporter.h"

namespace fresco::cli {
namespace {

using pipeline::Inspection;
using pipeline::PartReport;

constexpr size_t kListed = 10;  // names of a kind that are shown one by one

std::string element_types(const PartReport& part) {
  std::vector<std::string> words;
  for (const auto& [type, parameters] : part.element_types) {
    const double share =
        100.0 * static_cast<double>(parameters) / static_cast<double>(std::max<int64_t>(part.parameters, 1));
    words.push_back(part.element_types.size() == 1 ? type : fmt::format("{} {:.1f}%", type, share));
  }
  return joined(words);
}

std::string verdict(const PartReport& part) {
  std::vector<std::string> words;
  if (!part.missing.empty()) words.push_back(fmt::format("{} missing", part.missing.size()));
  if (!part.wrong.empty()) words.push_back(fmt::format("{} of the wrong shape", part.wrong.size()));
  if (!part.extra.empty()) words.push_back(fmt::format("{} extra", part.extra.size()));
  return words.empty() ? "whole" : joined(words);
}

std::string table(const Inspection& model) {
  size_t width = 10;
  for (const PartReport& part : model.parts) width = std::max(width, element_types(part).size());
  std::string text = fmt::format("  {:<14}{:>15}  {:<{}}  {}\n", "part", "parameters", "types", width, "tensors");
  for (const PartReport& part : model.parts) {
    text += fmt::format("  {:<14}{:>15}  {:<{}}  {}\n", part.name, grouped(part.parameters), element_types(part), width,
                        verdict(part));
  }
  return text + fmt::format("  {:<14}{:>15}\n", "together", grouped(model.parameters()));
}

std::string listed(const std::string& heading, const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  std::string text = "\n" + heading + "\n";
  for (size_t i = 0; i < std::min(lines.size(), kListed); ++i) text += "  " + printable(lines[i], 200) + "\n";
  if (lines.size() > kListed) text += fmt::format("  and {} more (--json lists all)\n", lines.size() - kListed);
  return text;
}

std::string findings(const PartReport& part) {
  std::vector<std::string> wrong;
  for (const auto& each : part.wrong) {
    wrong.push_back(fmt::format("{}: expected {}, got {}", each.name, checkpoint::to_string(each.expected),
                                checkpoint::to_string(each.got)));
  }
  return listed("Missing in " + part.name + ":", part.missing) + listed("Wrong shape in " + part.name + ":", wrong) +
         listed("Extra in " + part.name + " (not used):", part.extra);
}

std::string report(const Inspection& model, const std::optional<checkpoint::Calibration>& calibration) {
  const auto size = [](int64_t bytes) { return size_text(static_cast<double>(bytes)); };
  std::string text = fmt::format("{}\n\n", model.given);
  const auto fact = [&](const char* name, const std::string& value) {
    text += fmt::format("  {:<14}{}\n", name, value);
  };
  fact("family", std::string(checkpoint::name(model.family)));
  if (model.packed) {
    const auto& packed = *model.packed;
    fact("packed", fmt::format("for {} in {}, by {}, from {}", packed.isa, packed.products,
                               printable(packed.program, 40), printable(packed.source)));
  }
  if (calibration) fact("calibration", calibration_line(*calibration));
  if (model.root != model.given) fact("found at", model.root);
  fact("picture size", fmt::format("{}x{}", model.width, model.height));
  fact("scheduler",
       fmt::format("{} ({})", model.scheduler.empty() ? "none stated" : model.scheduler, model.prediction));
  fact("tokenizer", model.tokenizer.empty() ? "built into fresco" : model.tokenizer);
  fact("memory",
       fmt::format("{} of weights in float32 ({} in half precision), about {} to draw", size(model.memory.weights_f32),
                   size(model.memory.weights_half), size(model.memory.drawing)));
  text += "\n" + table(model);
  for (const PartReport& part : model.parts) text += findings(part);
  return text + listed("Belonging to no part (not used):", model.unused);
}

std::string machine() {
  std::string text = "\nThis machine\n\n";
  const auto fact = [&](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format("  {:<14}{}\n", name, value);
  };
  fact("processor",
       fmt::format("{}{}{} threads", processor().name, processor().name.empty() ? "" : ", ", processor().threads));
  fact("instructions", instruction_sets_text());
  fact("natively", native_text());
  fact("operators", forms_text());
  fact("precisions", precisions_text());
  fact("at most", rates_text(ops::measure_machine(processor().threads)));
  return text;
}

Json report_json(const Inspection& model, const std::optional<checkpoint::Calibration>& calibration) {
  Json json = pipeline::to_json(model);
  json["calibration"] = calibration ? checkpoint::to_json(*calibration) : Json();
  json["machine"] = machine_json(ops::measure_machine(processor().threads));
  return json;
}

}  // namespace

void inspect_command(const Arguments& arguments) {
  CLI::App app(
      "Tells what a model is made of, what is missing, extra or of the wrong shape, and what this machine can run.\n"
      "Weights are not loaded.",
      "fresco inspect");
  bool json = false, verify = false;
  std::optional<std::string> revision, config, vae;
  add_text(app, "--revision", revision, "NAME", "Branch, tag or commit of a hub id");
  add_text(app, "--config", config, "FOLDER", "Folder whose configs describe a single file");
  add_text(app, "--vae", vae, "MODEL", "Another VAE: folder, file or hub id");
  app.add_flag("--verify", verify, "Read a packed file whole and compare its checksums");
  app.add_flag("--json", json, "As one JSON object");
  Operands models{.usage = "MODEL", .most = 1, .found = {}};
  if (!parse(app, arguments, models)) return;

  const auto reporter = make_reporter(json ? ReportStyle::quiet : ReportStyle::text);
  const std::string given = models.found.empty() ? default_model() : models.found.front();
  const checkpoint::ModelRequest request{given, revision.value_or(""), vae.value_or(""), config.value_or("")};
  const checkpoint::ModelFiles files = checkpoint::open_model(request, *reporter);
  const Inspection inspection = pipeline::inspect(files);
  const auto calibration = checkpoint::own_calibration(files);
  write_out(json ? report_json(inspection, calibration).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                 : report(inspection, calibration) + machine());
  pipeline::check_whole(inspection);
  if (!verify) return;
  const auto packed = checkpoint::packed_file(files.unet);
  if (!packed) throw InputError("--verify", fmt::format("{} is not packed: it has no checksums", given));
  checkpoint::verify_packed(*packed, *reporter);
  reporter->on_note("every checksum fits");
}

}  // namespace fresco::cli
