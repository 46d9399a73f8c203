#include "fresco/training/run_log_lines.h"

#include <array>
#include <cmath>
#include <limits>

#include "fresco/core/error.h"

namespace fresco::training {
namespace {

struct EventName {
  EventKind kind;
  std::string_view name;
};
constexpr std::array<EventName, 8> kEvents = {{{EventKind::checkpoint, "checkpoint"},
                                               {EventKind::paused, "paused"},
                                               {EventKind::rollback, "rollback"},
                                               {EventKind::skipped, "skipped"},
                                               {EventKind::samples, "samples"},
                                               {EventKind::validation, "validation"},
                                               {EventKind::finished, "finished"},
                                               {EventKind::stopped, "stopped"}}};

constexpr std::array<std::string_view, 3> kPhaseKinds = {"diffusion", "autoencoder", "attributes"};

PhaseKind phase_kind(const std::string& word) {
  for (size_t k = 0; k < kPhaseKinds.size(); ++k) {
    if (kPhaseKinds[k] == word) return static_cast<PhaseKind>(k);
  }
  return PhaseKind::diffusion;
}

[[noreturn]] void refuse(const char* key) {
  throw FormatError("log.jsonl", std::string("not a number that fits: ") + key);
}

// JSON has no NaN: null stands for it.
double number(const Json& line, const char* key) {
  const Json& value = line.at(key);
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

// Of a quantity: 0 or more, and not so large that sums or texts of it mean nothing.
double amount(const Json& line, const char* key) {
  const auto value = line.at(key).get<double>();
  if (!(value >= 0 && value < 1e30)) refuse(key);
  return value;
}
int64_t count(const Json& line, const char* key) {
  const Json& value = line.at(key);
  constexpr int64_t kMost = int64_t{1} << 53;
  if (!value.is_number_integer() || value.get<int64_t>() < 0 || value.get<int64_t>() > kMost) refuse(key);
  return value.get<int64_t>();
}
int small_count(const Json& line, const char* key) {
  const int64_t value = count(line, key);
  if (value > std::numeric_limits<int>::max()) refuse(key);
  return static_cast<int>(value);
}

template <typename Value>
void put_unless_empty(Line& line, const char* key, const Value& value) {
  if (value != Value{}) line[key] = value;
}

std::string text_or_none(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found == line.end() ? "" : found->get<std::string>();
}
double amount_or_none(const Json& line, const char* key) { return line.contains(key) ? amount(line, key) : 0; }
int64_t count_or_none(const Json& line, const char* key) { return line.contains(key) ? count(line, key) : 0; }

}  // namespace

std::string_view name(EventKind kind) {
  for (const EventName& each : kEvents) {
    if (each.kind == kind) return each.name;
  }
  return "event";
}

Line to_json(const Place& place) { return {{"phase", place.phase}, {"step", place.step}}; }

Line to_json(const PhaseFacts& facts) {
  Line line = {{"name", facts.name},
               {"phase_kind", kPhaseKinds.at(static_cast<size_t>(facts.kind))},
               {"steps", facts.steps},
               {"batch", facts.batch},
               {"resolution", facts.resolution}};
  put_unless_empty(line, "samples", facts.samples);
  put_unless_empty(line, "parameters", facts.parameters);
  return line;
}

Line to_json(const RunFacts& facts) {
  Line line = {{"name", facts.name},
               {"seed", facts.seed},
               {"device", facts.device},
               {"threads", facts.threads},
               {"processes", facts.processes}};
  put_unless_empty(line, "flops", facts.flops);
  line["phases"] = Line::array();
  for (const PhaseFacts& phase : facts.phases) line["phases"].push_back(to_json(phase));
  line["recipe"] = facts.recipe;
  return line;
}

Line to_json(const LoggedSteps& steps) {
  Line line = {{"steps", steps.steps},
               {"loss", steps.loss},
               {"gradient_norm", steps.gradient_norm},
               {"learning_rate", steps.learning_rate}};
  if (steps.decay) line["decay"] = *steps.decay;
  line["images"] = steps.images;
  line["seconds"] = steps.seconds;
  line["wait_seconds"] = steps.wait_seconds;
  line["images_per_second"] = steps.images_per_second();
  put_unless_empty(line, "flops", steps.flops);
  line["memory_bytes"] = steps.memory_bytes;
  put_unless_empty(line, "gpu_bytes", steps.gpu_bytes);
  return line;
}

Line to_json(const TrainEvent& event) {
  Line line = Line::object();
  put_unless_empty(line, "text", event.text);
  put_unless_empty(line, "path", event.path);
  if (event.kind == EventKind::rollback) line["target"] = to_json(event.target);
  put_unless_empty(line, "count", event.count);
  if (event.kind == EventKind::validation) {
    line["loss"] = event.value;
    line["bands"] = Line::array();
    for (const LossBand& band : event.bands)
      line["bands"].push_back({{"first", band.first}, {"last", band.last}, {"loss", band.loss}});
  }
  put_unless_empty(line, "seconds", event.seconds);
  return line;
}

Place place_of(const Json& line) { return {small_count(line, "phase"), count(line, "step")}; }

PhaseFacts phase_facts(const Json& line) {
  return {.name = line.at("name"),
          .kind = phase_kind(line.at("phase_kind")),
          .steps = count(line, "steps"),
          .batch = count(line, "batch"),
          .resolution = count(line, "resolution"),
          .samples = count_or_none(line, "samples"),
          .parameters = count_or_none(line, "parameters")};
}

RunFacts run_facts(const Json& line) {
  RunFacts facts{.name = line.at("name"),
                 .recipe = line.at("recipe"),
                 .seed = line.at("seed"),
                 .device = line.at("device"),
                 .threads = small_count(line, "threads"),
                 .processes = small_count(line, "processes"),
                 .flops = amount_or_none(line, "flops")};
  for (const Json& phase : line.at("phases")) facts.phases.push_back(phase_facts(phase));
  return facts;
}

LoggedSteps logged_steps(const Json& line) {
  LoggedSteps steps{.place = place_of(line),
                    .steps = count(line, "steps"),
                    .loss = number(line, "loss"),
                    .gradient_norm = number(line, "gradient_norm"),
                    .learning_rate = amount(line, "learning_rate"),
                    .images = count(line, "images"),
                    .seconds = amount(line, "seconds"),
                    .wait_seconds = amount(line, "wait_seconds"),
                    .flops = amount_or_none(line, "flops"),
                    .memory_bytes = static_cast<uint64_t>(count(line, "memory_bytes")),
                    .gpu_bytes = static_cast<uint64_t>(count_or_none(line, "gpu_bytes"))};
  if (line.contains("decay")) steps.decay = line["decay"].get<double>();
  return steps;
}

std::optional<TrainEvent> train_event(const Json& line) {
  const std::string kind = line.at("kind");
  for (const EventName& each : kEvents) {
    if (each.name != kind) continue;
    TrainEvent event{.kind = each.kind,
                     .place = place_of(line),
                     .text = text_or_none(line, "text"),
                     .path = text_or_none(line, "path"),
                     .count = count_or_none(line, "count"),
                     .seconds = amount_or_none(line, "seconds")};
    if (each.kind == EventKind::rollback) event.target = place_of(line.at("target"));
    if (each.kind != EventKind::validation) return event;
    event.value = number(line, "loss");
    for (const Json& band : line.at("bands"))
      event.bands.push_back({count(band, "first"), count(band, "last"), number(band, "loss")});
    return event;
  }
  return std::nullopt;
}

}  // namespace fresco::training
