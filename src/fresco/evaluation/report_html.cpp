#include <fmt/format.h>

#include <algorithm>

#include "fresco/evaluation/plots.h"
#include "fresco/evaluation/report.h"
#include "fresco/evaluation/report_parts.h"
#include "fresco/evaluation/report_style.h"
#include "fresco/report/format.h"
#include "fresco/report/page.h"

namespace fresco::evaluation {

using report::escaped;
using report::figure;
using report::section;

std::string legend(const Comparison& comparison) {
  std::string html;
  for (size_t k = 0; k < 2; ++k) {
    html += fmt::format(R"(<span class="{}"><b class="chip">{}</b>{}</span>)", kSide[k], kLetter[k],
                        escaped(comparison.sides[k].label));
  }
  return "<div class=\"legend\">" + html + "</div>";
}

std::string setting(const Measurement& m, const char* key) {
  const auto found = m.settings.find(key);
  if (found == m.settings.end() || found->is_null()) return "";
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_float()) return fmt::format("{:g}", found->get<double>());
  return found->dump();
}

std::string ratio_text(const Metric& metric) { return metric.ratio() ? figure(*metric.ratio()) : ""; }

namespace {

std::string header(const Comparison& comparison) {
  const auto& [a, b] = comparison.sides;
  const report::Machine& machine = comparison.conditions.machine;
  const bool gpu = setting(a.measured, "device") == "cuda";
  const std::string place = gpu ? machine.gpu : machine.processor;
  return fmt::format(
      "<header><p class=\"eyebrow\">fresco compare, {}{}</p><h1><span class=\"a\">{}</span> <small>against</small> "
      "<span class=\"b\">{}</span></h1><p class=\"verdict\">{}</p><p class=\"soft\">{}</p></header>\n",
      escaped(comparison.conditions.date.substr(0, 10)), place.empty() ? "" : ", " + escaped(place), escaped(a.label),
      escaped(b.label), escaped(verdict_text(comparison)), escaped(reason_text(comparison)));
}

struct Tile {
  std::string_view key;
  const char* title;
};
constexpr Tile kTiles[] = {
    {"seconds_per_picture", "Time of a picture"},        {"seconds_per_step", "Time of a step"},
    {"pictures_per_hour", "Pictures an hour"},           {"hours_per_10000", "10,000 pictures take"},
    {"cost_per_10000", "Price of 10,000 pictures"},      {"peak_memory_bytes", "Peak memory"},
    {"picture_multiply_adds", "Multiply-adds a picture"}};

std::string tiles(const Comparison& comparison, const std::vector<Metric>& all) {
  std::string html;
  for (const Tile& tile : kTiles) {
    // A price stands in the place of the time.
    if (tile.key == "hours_per_10000" && comparison.conditions.price_per_hour) continue;
    const auto metric = std::find_if(all.begin(), all.end(), [&](const Metric& each) { return each.key == tile.key; });
    if (metric == all.end()) continue;
    html += fmt::format("<section><h2>{}<span>A / B {}</span></h2>{}</section>", tile.title, ratio_text(*metric),
                        bar_plot(*metric));
  }
  return "<div class=\"tiles\">" + html + "</div>\n";
}

}  // namespace

std::string report_html(const Comparison& comparison) {
  const std::vector<Metric> all = metrics(comparison);
  const auto& [a, b] = comparison.sides;
  std::string body = header(comparison) + tiles(comparison, all);
  body += section("Where a picture's seconds go", "Medians; below each bar a dot for every picture.",
                  stage_plot(comparison));
  body += section("Seconds of each step",
                  "U-Net calls of a picture in their order: the median over all pictures, shaded from p10 to p90.",
                  legend(comparison) + step_plot(comparison));
  body += picture_section(comparison) + table_sections(comparison, all);
  body +=
      "<footer class=\"soft\">The same figures for programs: report.json. Pictures without loss: a/ and b/.</footer>\n";
  return report::page(a.label + " against " + b.label, kReportStyle, body);
}

}  // namespace fresco::evaluation
