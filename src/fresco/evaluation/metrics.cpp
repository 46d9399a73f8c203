#include "fresco/evaluation/metrics.h"

#include "fresco/core/names.h"
#include "fresco/report/format.h"

namespace fresco::evaluation {

using report::bytes_text;
using report::figure;
using report::giga_text;
using report::millions_text;
using report::seconds_text;
namespace {

using Value = double (*)(const Contestant&);

struct Definition {
  const char* key;
  const char* group;
  const char* title;
  std::string (*text)(double);
  Better better;
  Value value;
};

double parameters(const Contestant& side, std::string_view name) {
  double sum = 0;
  for (const NetworkSize& network : side.measured.networks) {
    if (name.empty() || network.name == name) sum += static_cast<double>(network.parameters);
  }
  return sum;
}

std::string whole(double value) { return grouped(static_cast<int64_t>(value)); }
std::string hours(double value) { return figure(value) + " h"; }
std::string rate(double value) { return giga_text(value) + "/s"; }

// clang-format off
constexpr Definition kDefinitions[] = {
    {"seconds_per_picture", "Time", "A picture", seconds_text, Better::lower, [](const Contestant& s) { return s.summary.picture.median; }},
    {"seconds_per_picture_p90", "Time", "A picture, p90", seconds_text, Better::lower, [](const Contestant& s) { return s.summary.picture.p90; }},
    {"text_seconds", "Time", "its text", seconds_text, Better::lower, [](const Contestant& s) { return s.summary.text.median; }},
    {"denoise_seconds", "Time", "its denoising", seconds_text, Better::lower, [](const Contestant& s) { return s.summary.denoise.median; }},
    {"decode_seconds", "Time", "its decoding", seconds_text, Better::lower, [](const Contestant& s) { return s.summary.decode.median; }},
    {"seconds_per_step", "Time", "A step", seconds_text, Better::lower, [](const Contestant& s) { return s.summary.step.median; }},
    {"seconds_per_step_p90", "Time", "A step, p90", seconds_text, Better::lower, [](const Contestant& s) { return s.summary.step.p90; }},
    {"steps", "Throughput", "Steps of the sampler", whole, Better::neither, [](const Contestant& s) { return static_cast<double>(s.measured.steps()); }},
    {"model_calls", "Throughput", "U-Net calls a picture", whole, Better::lower, [](const Contestant& s) { return static_cast<double>(s.measured.model_calls()); }},
    {"iterations_per_second", "Throughput", "Iterations a second", figure, Better::higher, [](const Contestant& s) { return s.summary.iterations_per_second; }},
    {"pictures_per_hour", "Throughput", "Pictures an hour", figure, Better::higher, [](const Contestant& s) { return s.summary.pictures_per_hour; }},
    {"hours_per_10000", "Cost", "Time for 10,000 pictures", hours, Better::lower, [](const Contestant& s) { return s.summary.hours_per_10000; }},
    {"cost_per_10000", "Cost", "Price of 10,000 pictures", figure, Better::lower, [](const Contestant& s) { return s.summary.cost_per_10000.value_or(0); }},
    {"peak_memory_bytes", "Memory", "Peak", bytes_text, Better::lower, [](const Contestant& s) { return static_cast<double>(s.measured.peak_memory); }},
    {"loaded_memory_bytes", "Memory", "Peak while loading", bytes_text, Better::lower, [](const Contestant& s) { return static_cast<double>(s.measured.loaded_memory); }},
    {"parameters", "Parameters", "All networks", millions_text, Better::lower, [](const Contestant& s) { return parameters(s, ""); }},
    {"unet_parameters", "Parameters", "U-Net", millions_text, Better::lower, [](const Contestant& s) { return parameters(s, "unet"); }},
    {"vae_parameters", "Parameters", "Autoencoder", millions_text, Better::lower, [](const Contestant& s) { return parameters(s, "vae"); }},
    {"text_encoder_parameters", "Parameters", "Text encoder", millions_text, Better::lower, [](const Contestant& s) { return parameters(s, "text_encoder"); }},
    {"unet_multiply_adds", "Multiply-adds", "U-Net call, one sample", giga_text, Better::lower, [](const Contestant& s) { return static_cast<double>(s.measured.unet_call.total()); }},
    {"decode_multiply_adds", "Multiply-adds", "Decoding", giga_text, Better::lower, [](const Contestant& s) { return static_cast<double>(s.measured.decoding.total()); }},
    {"picture_multiply_adds", "Multiply-adds", "A picture", giga_text, Better::lower, [](const Contestant& s) { return static_cast<double>(s.measured.multiply_adds_a_picture()); }},
    {"multiply_adds_per_second", "Multiply-adds", "U-Net, a second", rate, Better::higher, [](const Contestant& s) { return s.summary.multiply_adds_per_second; }},
    {"load_seconds", "Not counted", "Loading", seconds_text, Better::lower, [](const Contestant& s) { return s.measured.load_seconds; }},
    {"warm_up_seconds", "Not counted", "Warming up", seconds_text, Better::neither, [](const Contestant& s) { return s.measured.warm_up_seconds; }},
};
// clang-format on

}  // namespace

std::optional<double> Metric::ratio() const {
  if (values[1] == 0) return std::nullopt;
  return values[0] / values[1];
}

int Metric::winner() const {
  if (better == Better::neither || values[0] <= 0 || values[1] <= 0) return -1;
  const double advantage = better == Better::lower ? values[1] / values[0] : values[0] / values[1];
  return advantage > kEqual ? 0 : advantage < 1 / kEqual ? 1 : -1;
}

std::vector<Metric> metrics(const Comparison& comparison) {
  std::vector<Metric> list;
  for (const Definition& each : kDefinitions) {
    const bool price = std::string_view(each.key) == "cost_per_10000";
    if (price && !comparison.conditions.price_per_hour) continue;
    list.push_back({each.key,
                    each.group,
                    each.title,
                    each.text,
                    each.better,
                    {each.value(comparison.sides[0]), each.value(comparison.sides[1])}});
  }
  return list;
}

}  // namespace fresco::evaluation
