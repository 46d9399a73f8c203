#include "profile_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "machine_report.h"

namespace fresco::cli {
namespace {

constexpr size_t kLayers = 12;                        // slowest ones that are shown
constexpr size_t kLayerWidth = 29, kShapeWidth = 30;  // characters of a layer's name and input

std::string share(double part, double whole) { return fmt::format("{:.1f}%", whole > 0 ? 100 * part / whole : 0.0); }

/// "-" for what is not there.
std::string in_units(double value, double unit, int places) {
  return value > 0 ? fmt::format("{:.{}f}", value / unit, places) : "-";
}
std::string giga(double rate) { return in_units(rate, 1e9, 1); }

std::string attained(const ops::ProfileTotals& totals) {
  return totals.attainable_seconds > 0 ? fmt::format("{:.0f}%", 100 * totals.attained()) : "-";
}

/// Keeps both ends: where a layer is, and which it is there; what comes in and what goes out.
std::string shortened(const std::string& text, size_t width) {
  if (text.size() <= width) return text;
  const size_t head = (width - 2) / 3;
  return text.substr(0, head) + ".." + text.substr(text.size() - (width - 2 - head));
}

std::string operators(const ops::ProfileSummary& profile) {
  std::string text = fmt::format("  {:<32}{:>8}{:>10}{:>8}{:>10}{:>10}{:>8}{:>10}\n", "operator/form", "calls",
                                 "seconds", "share", "GFLOP/s", "GB moved", "GB/s", "attained");
  for (const ops::OperatorTotals& op : profile.operators) {
    text += fmt::format("  {:<32}{:>8}{:>10.3f}{:>8}{:>10}{:>10}{:>8}{:>10}\n", op.name + "/" + op.form, op.calls,
                        op.seconds, share(op.seconds, profile.seconds), giga(op.flops_rate()),
                        in_units(op.bytes, 1e9, 2), giga(op.bytes_rate()), attained(op));
  }
  const double other = profile.seconds - profile.operator_seconds;
  return text + fmt::format("  {:<40}{:>10.3f}{:>8}\n", "other", other, share(other, profile.seconds)) +
         fmt::format("  {:<40}{:>10.3f}\n", "together", profile.seconds);
}

std::string layers(const ops::ProfileSummary& profile) {
  const auto line = [](const auto& name, const auto& shape, const auto&... figures) {
    return fmt::format("  {:<{}} {:<{}}{:>7}{:>7}{:>8}{:>7}{:>9}\n", name, kLayerWidth, shape, kShapeWidth, figures...);
  };
  const size_t shown = std::min(kLayers, profile.layers.size());
  std::string text = line(fmt::format("slowest layers ({} of {})", shown, profile.layers.size()), "input, to", "ms",
                          "share", "GFLOP/s", "MB", "attained");
  for (size_t i = 0; i < shown; ++i) {
    const ops::LayerTotals& layer = profile.layers[i];
    const std::string& name = layer.layer.empty() ? layer.name : layer.layer;
    text += line(shortened(name, kLayerWidth), shortened(layer.shape, kShapeWidth),
                 fmt::format("{:.1f}", 1e3 * layer.seconds), share(layer.seconds, profile.seconds),
                 giga(layer.flops_rate()), in_units(layer.bytes, 1e6, 1), attained(layer));
  }
  return text;
}

std::string stages(const ops::ProfileSummary& profile) {
  std::string text =
      fmt::format("  {:<32}{:>8}{:>10}{:>8}{:>20}\n", "stage", "calls", "seconds", "share", "in operators");
  for (const ops::StageTotals& stage : profile.stages) {
    text += fmt::format("  {:<32}{:>8}{:>10.3f}{:>8}{:>20}\n", (stage.network ? "  " : "") + stage.name, stage.calls,
                        stage.seconds, share(stage.seconds, profile.seconds),
                        stage.operator_seconds > 0 ? share(stage.operator_seconds, stage.seconds) : "-");
  }
  return text;
}

}  // namespace

std::string profile_text(const ops::ProfileSummary& profile) {
  std::string text = fmt::format("\nWhere {:.3f} s went, after loading\n\n", profile.seconds);
  text += operators(profile) + "\n" + layers(profile) + "\n" + stages(profile);
  const std::string rates = rates_text(profile.rates);
  if (rates.empty()) return text;
  return text + fmt::format(
                    "\n  attainable by {} threads: {}\n"
                    "  attained: share of that, by operations or by memory, whichever takes longer; above 100%\n"
                    "  where a form needs fewer operations than the definition, or caches held the data\n",
                    profile.rates.threads, rates);
}

}  // namespace fresco::cli
