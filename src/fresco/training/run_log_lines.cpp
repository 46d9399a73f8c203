#include "fresco/training/run_log_lines.h"

#include <array>
#include <cmath>
#include <limits>

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

// JSON has no NaN: null stands for it.
double number(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

template <typename Value>
void put_unless_empty(Line& line, const char* key, const Value& value) {
  if (value != Value{}) line[key] = value;
}

template <typename Value>
Value get_or_none(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found == line.end() ? Value{} : found->get<Value>();
}

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

Place place_of(const Json& line) { return {line.at("phase").get<int>(), line.at("step").get<int64_t>()}; }

PhaseFacts phase_facts(const Json& line) {
  return {.name = line.at("name"),
          .kind = phase_kind(line.at("phase_kind")),
          .steps = line.at("steps"),
          .batch = line.at("batch"),
          .resolution = line.at("resolution"),
          .samples = get_or_none<int64_t>(line, "samples"),
          .parameters = get_or_none<int64_t>(line, "parameters")};
}

RunFacts run_facts(const Json& line) {
  RunFacts facts{.name = line.at("name"),
                 .recipe = line.at("recipe"),
                 .seed = line.at("seed"),
                 .device = line.at("device"),
                 .threads = line.at("threads"),
                 .processes = line.at("processes"),
                 .flops = get_or_none<double>(line, "flops")};
  for (const Json& phase : line.at("phases")) facts.phases.push_back(phase_facts(phase));
  return facts;
}

LoggedSteps logged_steps(const Json& line) {
  LoggedSteps steps{.place = place_of(line),
                    .steps = line.at("steps"),
                    .loss = number(line.at("loss")),
                    .gradient_norm = number(line.at("gradient_norm")),
                    .learning_rate = line.at("learning_rate"),
                    .images = line.at("images"),
                    .seconds = line.at("seconds"),
                    .wait_seconds = line.at("wait_seconds"),
                    .flops = get_or_none<double>(line, "flops"),
                    .memory_bytes = line.at("memory_bytes"),
                    .gpu_bytes = get_or_none<uint64_t>(line, "gpu_bytes")};
  if (line.contains("decay")) steps.decay = line["decay"].get<double>();
  return steps;
}

std::optional<TrainEvent> train_event(const Json& line) {
  const std::string kind = line.at("kind");
  for (const EventName& each : kEvents) {
    if (each.name != kind) continue;
    TrainEvent event{.kind = each.kind,
                     .place = place_of(line),
                     .text = get_or_none<std::string>(line, "text"),
                     .path = get_or_none<std::string>(line, "path"),
                     .count = get_or_none<int64_t>(line, "count"),
                     .seconds = get_or_none<double>(line, "seconds")};
    if (each.kind == EventKind::rollback) event.target = place_of(line.at("target"));
    if (each.kind != EventKind::validation) return event;
    event.value = number(line.at("loss"));
    for (const Json& band : line.at("bands"))
      event.bands.push_back({band.at("first"), band.at("last"), number(band.at("loss"))});
    return event;
  }
  return std::nullopt;
}

}  // namespace fresco::training
