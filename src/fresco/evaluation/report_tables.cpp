#include <fmt/format.h>

#include "fresco/core/names.h"
#include "fresco/evaluation/report_parts.h"
#include "fresco/report/format.h"
#include "fresco/report/page.h"

namespace fresco::evaluation {

using report::bytes_text;
using report::escaped;
using report::seconds_text;
using report::section;
namespace {

std::string size_of(const Measurement& m) { return setting(m, "width") + "x" + setting(m, "height"); }

std::string cell(const Metric& metric, size_t side) {
  const bool best = metric.winner() == static_cast<int>(side);
  return fmt::format("<td{}>{}</td>", best ? fmt::format(R"( class="best {}")", kSide[side]) : "",
                     metric.text(metric.values[side]));
}

std::string table_head(const Comparison& comparison, const char* last) {
  std::string sides;
  for (size_t k = 0; k < 2; ++k) {
    sides += fmt::format(R"(<th scope="col" class="{}"><b class="chip">{}</b> <span class="full">{}</span></th>)",
                         kSide[k], kLetter[k], escaped(comparison.sides[k].label));
  }
  return fmt::format("<thead><tr><th></th>{}{}</tr></thead>", sides, last);
}

std::string figures(const Comparison& comparison, const std::vector<Metric>& all) {
  std::string rows, group;
  for (const Metric& metric : all) {
    if (metric.group != group)
      rows += fmt::format(R"(<tr class="group"><th colspan="4" scope="colgroup">{}</th></tr>)", metric.group);
    group = metric.group;
    rows += fmt::format("<tr><th scope=\"row\">{}</th>{}{}<td>{}</td></tr>\n", metric.title, cell(metric, 0),
                        cell(metric, 1), ratio_text(metric));
  }
  const auto price = comparison.conditions.price_per_hour;
  const std::string words =
      "The better one is coloured." + (price ? fmt::format(" Price at {:g} an hour.", *price) : "");
  return section("All figures", words,
                 "<div class=\"scroll\"><table>" + table_head(comparison, "<th scope=\"col\">A / B</th>") + "<tbody>" +
                     rows + "</tbody></table></div>");
}

std::string settings(const Comparison& comparison) {
  const auto& [a, b] = comparison.sides;
  std::string rows;
  const auto row = [&](const char* name, const std::string& first, const std::string& second) {
    if (first.empty() && second.empty()) return;
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n", name, escaped(first),
                        escaped(second));
  };
  row("Model", a.measured.model, b.measured.model);
  row("Family", a.measured.family, b.measured.family);
  row("Weights", a.measured.hash.substr(0, 10), b.measured.hash.substr(0, 10));
  row("Size", size_of(a.measured), size_of(b.measured));
  for (const auto& [name, key] : {std::pair{"Steps", "steps"},
                                  {"Sampler", "sampler"},
                                  {"Guidance", "guidance"},
                                  {"Guidance rescale", "guidance_rescale"},
                                  {"Negative prompt", "negative"},
                                  {"Device", "device"},
                                  {"Precision", "precision"},
                                  {"Use of memory", "memory"},
                                  {"Operators", "ops"},
                                  {"Threads", "threads"}})
    row(name, setting(a.measured, key), setting(b.measured, key));
  return section("Settings", "",
                 "<div class=\"scroll\"><table class=\"settings\">" + table_head(comparison, "") + "<tbody>" + rows +
                     "</tbody></table></div>");
}

std::string machine(const Comparison& comparison) {
  const report::Machine& m = comparison.conditions.machine;
  std::string facts;
  const auto fact = [&](const char* name, const std::string& value) {
    if (!value.empty()) facts += fmt::format("<dt>{}</dt><dd>{}</dd>", name, escaped(value));
  };
  fact("Processor", m.processor);
  fact("Processors usable", std::to_string(m.processors));
  fact("Instruction sets", joined(m.instruction_sets));
  fact("GPU", m.gpu);
  fact("Memory", bytes_text(static_cast<double>(m.memory_bytes)));
  fact("System", m.system);
  fact("Load at the start", fmt::format("{:.2f}", m.load));
  fact("Program", "fresco " + std::string(version()));
  fact("Date", comparison.conditions.date);
  return section("Machine", "", "<dl>" + facts + "</dl>");
}

std::string method(const Comparison& comparison) {
  std::string items;
  for (const std::string& text : method_texts(comparison)) items += "<li>" + escaped(text) + "</li>";
  return section("How it was measured", "", "<ul>" + items + "</ul>");
}

std::string published(const Comparison& comparison) {
  const auto& sides = comparison.sides;
  const auto family = [&](size_t k) { return sides[k].measured.family; };
  const bool forward = family(0) == "DeciDiffusion 1.0" && family(1) == "Stable Diffusion v1";
  if (!forward && !(family(1) == "DeciDiffusion 1.0" && family(0) == "Stable Diffusion v1")) return "";
  const Contestant& deci = sides[forward ? 0 : 1];
  const Contestant& stable = sides[forward ? 1 : 0];
  const double here = deci.summary.picture.median, there = stable.summary.picture.median;
  std::string rows;
  const auto row = [&](const std::string& name, const std::string& first, const std::string& second, double factor) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{:.2f}</td></tr>", name, first, second,
                        factor);
  };
  // Seconds a picture in float16 on one NVIDIA A10, from https://huggingface.co/Deci/DeciDiffusion-v1-0
  row("PyTorch, 30 steps against 50", "1.29 s", "2.95 s", 2.95 / 1.29);
  row("Infery, 30 steps against 50", "0.98 s", "2.08 s", 2.08 / 0.98);
  row("Infery against PyTorch, the &quot;3x&quot; of the announcement", "0.98 s", "2.95 s", 2.95 / 0.98);
  row(fmt::format("This run, {} steps against {}", deci.measured.steps(), stable.measured.steps()), seconds_text(here),
      seconds_text(there), here > 0 ? there / here : 0);
  return section("Beside the publication",
                 "DeciDiffusion 1.0 was published with these seconds a picture, float16 on one NVIDIA A10 "
                 "(huggingface.co/Deci/DeciDiffusion-v1-0). Other hardware and precision: compare the factors.",
                 "<div class=\"scroll\"><table><thead><tr><th></th><th scope=\"col\">DeciDiffusion 1.0</th>"
                 "<th scope=\"col\">Stable Diffusion v1.5</th><th scope=\"col\">factor</th></tr></thead><tbody>" +
                     rows + "</tbody></table></div>");
}

}  // namespace

std::string table_sections(const Comparison& comparison, const std::vector<Metric>& all) {
  return figures(comparison, all) + published(comparison) + settings(comparison) + machine(comparison) +
         method(comparison);
}

}  // namespace fresco::evaluation
