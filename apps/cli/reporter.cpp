#include "reporter.h"

#include <fmt/format.h>

#include <cctype>
#include <chrono>

#include "fresco/core/names.h"
#include "interrupt.h"
#include "output.h"
#include "profile_report.h"
#include "progress_bar.h"

namespace fresco::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string one_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

/// Mean seconds a step; the first one, which warms caches up, counts only while it is alone.
class Pace {
 public:
  void add(double seconds) {
    if (++steps_ <= 2) total_ = 0;
    total_ += seconds;
  }
  double mean() const { return total_ / static_cast<double>(steps_ <= 1 ? 1 : steps_ - 1); }

 private:
  int steps_ = 0;
  double total_ = 0;
};

std::string step_detail(const Step& step, double pace) {
  const std::string left = step.index < step.of ? ", " + duration(pace * (step.of - step.index)) + " left" : "";
  return fmt::format("{}/{}, {:.2f} s/step{}", step.index, step.of, pace, left);
}

std::string capital(std::string letter) {
  if (!letter.empty()) letter[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(letter[0])));
  return letter;
}

class QuietReporter : public Reporter {
 public:
  void on_warning(std::string_view text) override { write_error_line(fmt::format("warning: {}", text)); }
};

/// What every text form says. Standard error is left to warnings and errors.
class TextReporter : public Reporter {
 public:
  void on_note(const std::string& text) override { line(text); }
  void on_warning(std::string_view text) override {
    prepare_line();
    write_error_line(fmt::format("warning: {}", text));
  }
  void on_profile(const ops::ProfileSummary& profile) override { line(profile_text(profile)); }
  void on_done(const Json& facts) override {
    for (const Json& file : facts.at("files")) line(fmt::format("wrote {}", file.get<std::string>()));
    line(fmt::format("{} in all, {} of memory at most", duration(facts.at("seconds").get<double>()),
                     size_text(facts.at("peak_memory_bytes").get<double>())));
  }

 protected:
  /// Makes room on the terminal.
  virtual void prepare_line() {}
  void line(const std::string& text) {
    prepare_line();
    write_out(text + "\n");
  }
  void on_side(const Json& facts) override {
    pace_ = {};
    const auto pictures = facts.at("pictures").get<size_t>();
    line(fmt::format("{}: {} picture{} with {}", capital(side()), pictures, pictures == 1 ? "" : "s",
                     facts.at("model").get<std::string>()));
  }

  Pace pace_;
};

class TerminalReporter : public TextReporter {
 public:
  void on_stage_start(std::string_view name) override { bar_.show(name, -1, "..."); }
  void on_stage(std::string_view, double) override { bar_.clear(); }
  void on_transfer(const Transfer& transfer) override {
    bar_.show(transfer.what, transfer_share(transfer), transfer_text(transfer));
  }
  void on_step(const Step& step) override {
    pace_.add(step.seconds);
    const Step whole = overall(step);
    bar_.show(side().empty() ? "drawing" : capital(side()), static_cast<double>(whole.index) / whole.of,
              step_detail(whole, pace_.mean()));
  }

 protected:
  void prepare_line() override { bar_.clear(); }

 private:
  ProgressBar bar_;
};

/// For logs: a line now and then.
class LogReporter : public TextReporter {
 public:
  void on_transfer(const Transfer& transfer) override {
    if (due() || transfer.done == transfer.total) line(fmt::format("{}: {}", transfer.what, transfer_text(transfer)));
  }
  void on_load(const Json& facts) override {
    line(fmt::format("loaded {} in {:.1f} s", facts.at("model").get<std::string>(), facts.at("seconds").get<double>()));
  }
  void on_step(const Step& step) override {
    pace_.add(step.seconds);
    const Step whole = overall(step);
    if (due() || whole.index == whole.of) line(fmt::format("step {}", step_detail(whole, pace_.mean())));
  }

 private:
  bool due() {
    const auto now = Clock::now();
    if (now - spoken_ < std::chrono::seconds(5)) return false;
    spoken_ = now;
    return true;
  }
  Clock::time_point spoken_ = Clock::now();
};

class JsonReporter : public Reporter {
 public:
  void on_load(const Json& facts) override { event("load", facts); }
  void on_stage(std::string_view name, double seconds) override {
    event("stage", {{"name", name}, {"seconds", seconds}});
  }
  void on_step(const Step& step) override {
    const Step whole = overall(step);
    event("step", {{"index", whole.index}, {"of", whole.of}, {"seconds", whole.seconds}});
  }
  void on_transfer(const Transfer& transfer) override {
    const auto now = Clock::now();
    if (now - told_ < std::chrono::seconds(1) && transfer.done != transfer.total) return;
    told_ = now;
    event("transfer", {{"what", transfer.what}, {"done", transfer.done}, {"total", transfer.total}});
  }
  void on_warning(std::string_view text) override { event("warning", {{"text", text}}); }
  void on_profile(const ops::ProfileSummary& profile) override { event("profile", ops::to_json(profile)); }
  void on_done(const Json& facts) override { event("done", facts); }

 protected:
  void on_side(const Json& facts) override { event("side", facts); }

 private:
  void event(const char* name, Json facts) const {
    facts["event"] = name;
    if (!side().empty()) facts["side"] = side();
    write_out(one_line(facts));
  }
  Clock::time_point told_ = Clock::now();
};

}  // namespace

bool Reporter::cancelled() const { return interrupted(); }

ReportStyle report_style(bool json, bool quiet) {
  return json ? ReportStyle::json : quiet ? ReportStyle::quiet : ReportStyle::text;
}

std::unique_ptr<Reporter> make_reporter(ReportStyle style) {
  if (style == ReportStyle::json) return std::make_unique<JsonReporter>();
  if (style == ReportStyle::quiet) return std::make_unique<QuietReporter>();
  if (has_terminal()) return std::make_unique<TerminalReporter>();
  return std::make_unique<LogReporter>();
}

}  // namespace fresco::cli
