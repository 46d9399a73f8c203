#include "calibration_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"

namespace fresco::cli {
namespace {

constexpr size_t kShown = 8;

}  // namespace

std::string calibration_report(const checkpoint::Calibration& calibration) {
  const auto& layers = calibration.layers;
  std::string text = fmt::format("  {:>6}  {:<12}  {}\n", "dB", "part", "matrix, worst first");
  for (size_t i = 0; i < std::min(layers.size(), kShown); ++i)
    text += fmt::format("  {:>6.1f}  {:<12}  {}{}\n", layers[i].db, printable(layers[i].part, 12),
                        printable(layers[i].name, 100), layers[i].kept ? "  kept in bf16" : "");
  if (layers.size() > kShown)
    text += fmt::format("  {:>6.1f}  {:<12}  the best of {} more\n", layers.back().db, "", layers.size() - kShown);
  text += fmt::format("\n  {} of {} matrices kept in bf16; the worst of {} pictures is {:.1f} dB near float32's",
                      calibration.kept(), layers.size(), calibration.prompts.size(), calibration.picture_db);
  if (calibration.kept() > 0) text += fmt::format(", {:.1f} with none kept", calibration.plain_db);
  return text + "\n";
}

std::shared_ptr<const checkpoint::Calibration> read_calibration(const std::optional<std::string>& file) {
  if (!file) return nullptr;
  return std::make_shared<const checkpoint::Calibration>(checkpoint::read_calibration(*file));
}

std::string calibration_line(const checkpoint::Calibration& calibration) {
  return fmt::format("int8: {} of {} matrices kept in bf16, pictures {:.1f} dB near float32's when calibrated",
                     calibration.kept(), calibration.layers.size(), calibration.picture_db);
}

}  // namespace fresco::cli
