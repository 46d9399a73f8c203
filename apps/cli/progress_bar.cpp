#include "progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "fresco/core/names.h"

namespace fresco::cli {
namespace {

constexpr auto kRedrawInterval = std::chrono::milliseconds(100);
constexpr int kWidestBar = 40;
constexpr int kNarrowestBar = 5;
constexpr size_t kAround = 6;  // columns of brackets and blanks around a bar
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kWipeLine = "\r\x1b[K";

int terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

void write_terminal(std::string_view text) {
  // A terminal that has gone away is nothing to stop for.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

bool has_terminal() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

ProgressBar::ProgressBar() {
  const char* asked = std::getenv("NO_COLOR");
  colour_ = asked == nullptr || *asked == 0;
}

void ProgressBar::show(std::string_view label, double share, std::string_view detail) {
  const auto now = std::chrono::steady_clock::now();
  if (visible_ && label == label_ && now - drawn_ < kRedrawInterval) return;
  const int columns = terminal_width() - 1;  // the last column would wrap on some terminals
  const int room = columns - static_cast<int>(label.size() + detail.size() + kAround);
  std::string line;
  if (share >= 0 && room >= kNarrowestBar) {
    const int length = std::min(room, kWidestBar);
    const int filled = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * length));
    line = fmt::format("{}  [{}{:=<{}}{}{: <{}}]  {}", label, colour_ ? kGreen : "", "", filled, colour_ ? kPlain : "",
                       "", length - filled, detail);
  } else {
    line = fmt::format("{}  {}", label, detail);
    line.resize(std::min<size_t>(line.size(), static_cast<size_t>(std::max(columns, 0))));
  }
  write_terminal(fmt::format("{}{}", kWipeLine, line));
  visible_ = true;
  label_ = label;
  drawn_ = now;
}

void ProgressBar::show(std::string_view label, double share, const std::vector<std::string>& details) {
  const size_t columns = static_cast<size_t>(std::max(terminal_width() - 1, 0));
  const auto joined_of = [&](size_t count) {
    return joined({details.begin(), details.begin() + static_cast<std::ptrdiff_t>(count)});
  };
  size_t count = details.size();
  while (count > 1 && label.size() + joined_of(count).size() + kAround + kNarrowestBar > columns) --count;
  show(label, share, joined_of(count));
}

void ProgressBar::clear() {
  if (visible_) write_terminal(kWipeLine);
  visible_ = false;
}

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(seconds, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string transfer_text(const Transfer& transfer) {
  const std::string done = size_text(static_cast<double>(transfer.done));
  return transfer.total == 0 ? done : done + " of " + size_text(static_cast<double>(transfer.total));
}

double transfer_share(const Transfer& transfer) {
  return transfer.total == 0 ? -1 : static_cast<double>(transfer.done) / static_cast<double>(transfer.total);
}

}  // namespace fresco::cli
