#include "train_reporter.h"

#include <fmt/format.h>

#include <chrono>

#include "fresco/core/error.h"
#include "fresco/training/run_log_lines.h"
#include "interrupt.h"
#include "output.h"
#include "progress_bar.h"
#include "train_texts.h"

namespace fresco::cli {
namespace {

using training::Line;
using training::PhaseFacts;
using training::RunFacts;
using training::StepRecord;
using training::TrainEvent;
using Clock = std::chrono::steady_clock;

/// At most once in so many seconds.
class Interval {
 public:
  bool due(double seconds) {
    const auto now = Clock::now();
    if (now - spoken_ < std::chrono::duration<double>(seconds)) return false;
    spoken_ = now;
    return true;
  }
  double age() const { return std::chrono::duration<double>(Clock::now() - begun_).count(); }

 private:
  Clock::time_point begun_ = Clock::now(), spoken_ = begun_;
};

/// What they have in common: where the run stands.
class TrainReporter : public training::TrainObserver {
 public:
  bool cancelled() const override { return interrupted(); }
  void on_run(const RunFacts& facts) override { run_ = facts; }
  void on_phase(int index, const PhaseFacts& facts, int64_t) override {
    if (static_cast<size_t>(index) < run_.phases.size()) run_.phases[static_cast<size_t>(index)] = facts;
    phase_ = facts;
    pace_ = {};
  }
  void on_step_done(const StepRecord& step) override { pace_.add(step); }

 protected:
  /// Hours of training are worth more than a line of their log.
  void write(const std::string& text) {
    try {
      write_out(text);
    } catch (const ResourceError& error) {
      if (!deaf_) write_error_line(fmt::format("warning: {}; the training goes on", error.what()));
      deaf_ = true;
    }
  }
  bool last(const StepRecord& step) const { return step.place.step == phase_.steps; }

  RunFacts run_;
  PhaseFacts phase_;
  TrainPace pace_;

 private:
  bool deaf_ = false;
};

class QuietTrainReporter : public TrainReporter {
 public:
  void on_warning(std::string_view text) override { write_error_line(fmt::format("warning: {}", text)); }
  void on_event(const TrainEvent& event) override {
    const std::string text = is_trouble(event) ? event_text(event, run_) : "";
    if (!text.empty()) on_warning(text);
  }
};

class TextTrainReporter : public TrainReporter {
 public:
  void on_warning(std::string_view text) override {
    prepare_line();
    write_error_line(fmt::format("warning: {}", text));
  }
  void on_run(const RunFacts& facts) override {
    TrainReporter::on_run(facts);
    line(run_text(facts));
  }
  void on_phase(int index, const PhaseFacts& facts, int64_t done) override {
    TrainReporter::on_phase(index, facts, done);
    line(phase_text(index, run_, facts, done));
  }
  void on_event(const TrainEvent& event) override {
    const std::string text = event_text(event, run_);
    if (text.empty()) return;
    if (is_trouble(event)) return on_warning(text);
    line(text);
  }

 protected:
  /// Makes room on the terminal.
  virtual void prepare_line() {}
  void line(const std::string& text) {
    prepare_line();
    write(text + "\n");
  }
  std::vector<std::string> progress(const StepRecord& step) const {
    return step_texts(step.place, phase_.steps, pace_, run_.flops);
  }
};

class TerminalTrainReporter : public TextTrainReporter {
 public:
  void on_stage_start(std::string_view name) override { bar_.show(name, -1, "..."); }
  void on_stage(std::string_view, double) override { bar_.clear(); }
  void on_transfer(const Transfer& transfer) override {
    bar_.show(transfer.what, transfer_share(transfer), transfer_text(transfer));
  }
  void on_step_done(const StepRecord& step) override {
    TextTrainReporter::on_step_done(step);
    const double share = static_cast<double>(step.place.step) / static_cast<double>(std::max<int64_t>(phase_.steps, 1));
    bar_.show(printable(phase_.name, 24), share, progress(step));
  }

 protected:
  void prepare_line() override { bar_.clear(); }

 private:
  ProgressBar bar_;
};

/// For logs: a line now and then, often at first.
class LogTrainReporter : public TextTrainReporter {
 public:
  void on_transfer(const Transfer& transfer) override {
    if (interval_.due(5) || transfer.done == transfer.total)
      line(fmt::format("{}: {}", transfer.what, transfer_text(transfer)));
  }
  void on_step_done(const StepRecord& step) override {
    TextTrainReporter::on_step_done(step);
    if (!interval_.due(interval_.age() < 60 ? 5 : 60) && !last(step)) return;
    std::string text;
    for (const std::string& each : progress(step)) text += (text.empty() ? "" : ", ") + each;
    line(fmt::format("{}: {}", printable(phase_.name, 40), text));
  }

 private:
  Interval interval_;
};

class JsonTrainReporter : public TrainReporter {
 public:
  void on_warning(std::string_view text) override { event("warning", {{"text", text}}); }
  void on_stage(std::string_view name, double seconds) override {
    event("stage", {{"name", name}, {"seconds", seconds}});
  }
  void on_transfer(const Transfer& transfer) override {
    if (interval_.due(1) || transfer.done == transfer.total)
      event("transfer", {{"what", transfer.what}, {"done", transfer.done}, {"total", transfer.total}});
  }
  void on_run(const RunFacts& facts) override {
    TrainReporter::on_run(facts);
    event("run", training::to_json(facts));
  }
  void on_phase(int index, const PhaseFacts& facts, int64_t done) override {
    TrainReporter::on_phase(index, facts, done);
    Line line = {{"phase", index}, {"done", done}};
    line.update(training::to_json(facts));
    event("phase", line);
  }
  void on_step_done(const StepRecord& step) override {
    TrainReporter::on_step_done(step);
    if (!interval_.due(1) && !last(step)) return;
    Line line = training::to_json(step.place);
    line.update({{"of", phase_.steps},
                 {"loss", step.loss},
                 {"gradient_norm", step.gradient_norm},
                 {"learning_rate", step.learning_rate},
                 {"images_per_second", pace_.images_per_second()},
                 {"seconds_left", pace_.seconds_per_step() * static_cast<double>(phase_.steps - step.place.step)},
                 {"flops_per_second", pace_.flops_per_second()},
                 {"memory_bytes", step.memory_bytes}});
    event("step", line);
  }
  void on_event(const TrainEvent& happened) override {
    Line line = training::to_json(happened.place);
    line.update(training::to_json(happened));
    event(training::name(happened.kind), line);
  }

 private:
  void event(std::string_view name, const Line& facts) {
    Line line = {{"event", name}};
    line.update(facts);
    write(line.dump(-1, ' ', false, Line::error_handler_t::replace) + "\n");
  }
  Interval interval_;
};

}  // namespace

std::unique_ptr<training::TrainObserver> make_train_reporter(ReportStyle style) {
  if (style == ReportStyle::json) return std::make_unique<JsonTrainReporter>();
  if (style == ReportStyle::quiet) return std::make_unique<QuietTrainReporter>();
  if (has_terminal()) return std::make_unique<TerminalTrainReporter>();
  return std::make_unique<LogTrainReporter>();
}

}  // namespace fresco::cli
