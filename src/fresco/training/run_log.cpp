#include "fresco/training/run_log.h"

#include <cmath>
#include <fstream>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/names.h"
#include "fresco/training/run_log_lines.h"

namespace fresco::training {
namespace {

// Invalid UTF-8, such as in the name of a broken sample, becomes U+FFFD.
std::string line_of(const Line& line) { return line.dump(-1, ' ', false, Line::error_handler_t::replace) + "\n"; }

Line begun(std::string_view kind) { return {{"kind", kind}, {"time", report::time_now()}}; }

Line begun(std::string_view kind, const Place& place) {
  Line line = begun(kind);
  line["phase"] = place.phase;
  line["step"] = place.step;
  return line;
}

// What stays of the lines when a run goes on from a checkpoint.
struct Kept {
  std::string text;
  double lost_seconds = 0;
  bool all = true;
};

bool stays(const Json& line, const Place& from) {
  const std::string kind = line.at("kind").get<std::string>();
  if (kind == "run") return true;
  if (kind == "phase") return Place{line.at("phase").get<int>(), line.at("done").get<int64_t>()} <= from;
  // A rollback is a fact of what was done before its target was reached again.
  if (kind == name(EventKind::rollback)) return place_of(line.at("target")) <= from;
  return place_of(line) <= from;
}

Kept keep(const std::filesystem::path& file, const Place& from) {
  Kept kept;
  std::ifstream lines(file);
  for (std::string text; std::getline(lines, text);) {
    const bool whole = !lines.eof();
    try {
      const Json line = parse_json(text, file.string());
      if (whole && stays(line, from)) {
        kept.text += text + "\n";
        continue;
      }
      if (line.at("kind") == "step") kept.lost_seconds += logged_steps(line).seconds;
    } catch (const FormatError&) {
    } catch (const Json::exception&) {  // a key is missing or of another type
    }
    kept.all = false;
  }
  return kept;
}

double prepare(const std::filesystem::path& file, std::optional<Place> from) {
  if (!from) {
    write_file(file, "", true);
    return 0;
  }
  const Kept kept = keep(file, *from);
  if (!kept.all) write_file(file, kept.text, true);
  return kept.lost_seconds;
}

}  // namespace

RunLog::RunLog(const std::filesystem::path& file, std::optional<Place> from)
    : RunLog(file, from, prepare(file, from)) {}

RunLog::RunLog(const std::filesystem::path& file, std::optional<Place> from, double lost)
    : from_(from), lost_seconds_(lost), file_(file) {}

void RunLog::add(const RunFacts& facts) {
  Line line = begun("run");
  line["version"] = version();
  if (from_) line["from"] = to_json(*from_);
  if (lost_seconds_ > 0) line["lost_seconds"] = lost_seconds_;
  line.update(to_json(facts));
  line["machine"] = report::to_json(report::this_machine());
  file_.append(line_of(line));
}

void RunLog::add(int index, const PhaseFacts& facts, int64_t done) {
  Line line = begun("phase");
  line["phase"] = index;
  line["done"] = done;
  line.update(to_json(facts));
  file_.append(line_of(line));
}

void RunLog::add(const LoggedSteps& steps, double machine_flops) {
  Line line = begun("step", steps.place);
  line.update(to_json(steps));
  if (machine_flops > 0 && steps.flops > 0) line["share"] = steps.flops_per_second() / machine_flops;
  file_.append(line_of(line));
}

void RunLog::add(const TrainEvent& event) {
  Line line = begun(name(event.kind), event.place);
  line.update(to_json(event));
  file_.append(line_of(line));
}

}  // namespace fresco::training
