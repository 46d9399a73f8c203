#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fresco/core/json.h"
#include "fresco/core/observer.h"
#include "fresco/ops/profile_summary.h"

namespace fresco::cli {

/// How the terminal, a log or another program sees the work.
class Reporter : public Observer {
 public:
  bool cancelled() const override;
  /// The model is ready; `facts` holds model, family, device, precision, seconds.
  virtual void on_load(const Json& /*facts*/) {}
  /// Something a person wants to know and no program does, such as the random seed.
  virtual void on_note(const std::string& /*text*/) {}
  virtual void on_profile(const ops::ProfileSummary& /*profile*/) {}
  /// `facts` holds files, seconds, peak_memory_bytes, settings.
  virtual void on_done(const Json& /*facts*/) {}

  /// One of two models is at work from now on: "a" or "b"; "" ends that. `facts` holds model, pictures.
  void begin_side(const std::string& side, const Json& facts) {
    side_ = side;
    if (!side.empty()) on_side(facts);
  }

  /// Pictures may be drawn in several portions; steps count through all of them.
  void begin_portion(int index, int of) {
    portion_ = index;
    portions_ = of;
  }

 protected:
  virtual void on_side(const Json& /*facts*/) {}
  const std::string& side() const { return side_; }
  Step overall(const Step& step) const { return {portion_ * step.of + step.index, portions_ * step.of, step.seconds}; }

 private:
  int portion_ = 0;
  int portions_ = 1;
  std::string side_;
};

enum class ReportStyle { text, json, quiet };
/// --json goes over --quiet.
ReportStyle report_style(bool json, bool quiet);
std::unique_ptr<Reporter> make_reporter(ReportStyle style);

}  // namespace fresco::cli
