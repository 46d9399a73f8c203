#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/core/observer.h"

namespace fresco::cli {

/// One line at the foot of a terminal on standard error, redrawn in place at most ten times a second.
class ProgressBar {
 public:
  /// Colour unless NO_COLOR is set (no-color.org).
  ProgressBar();
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `share` 0..1 of the work is done; negative: nobody knows how much there is. `detail` stands behind the bar.
  void show(std::string_view label, double share, std::string_view detail);
  /// Of several details the last ones are left out where the terminal is too narrow for them and a bar.
  void show(std::string_view label, double share, const std::vector<std::string>& details);
  /// Wipes the line, so that an ordinary one can be written.
  void clear();

 private:
  bool colour_;
  bool visible_ = false;
  std::string label_;
  std::chrono::steady_clock::time_point drawn_;
};

/// Standard error is a terminal that can move its cursor.
bool has_terminal();

/// "8 s", "3 min 20 s", "2 h 5 min"
std::string duration(double seconds);

/// "12.3 MB of 2.41 GB", and 0..1 of it; less than 0 where nobody knows how much there is.
std::string transfer_text(const Transfer& transfer);
double transfer_share(const Transfer& transfer);

}  // namespace fresco::cli
