#include "fresco/evaluation/wire.h"

#include "fresco/report/base64.h"

namespace fresco::evaluation {
namespace {

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

Json request_to_json(const pipeline::DrawRequest& request) {
  Json json = Json::object();
  pipeline::for_each_setting(request, [&](const char* name, const auto& value) {
    if constexpr (IsOptional<std::decay_t<decltype(value)>>::value) {
      if (value) json[name] = *value;
    } else {
      json[name] = value;
    }
  });
  return json;
}

pipeline::DrawRequest request_from_json(const Json& json) {
  pipeline::DrawRequest request;
  pipeline::for_each_setting(request, [&](const char* name, auto& value) {
    using Value = std::decay_t<decltype(value)>;
    if (!json.contains(name)) return;
    if constexpr (IsOptional<Value>::value) {
      value = json.at(name).get<typename Value::value_type>();
    } else {
      value = json.at(name).get<Value>();
    }
  });
  return request;
}

Json load_to_json(const pipeline::LoadOptions& load) {
  return {{"model", load.files.model},   {"revision", load.files.revision},
          {"vae", load.files.vae},       {"config", load.files.config},
          {"device", name(load.device)}, {"precision", name(load.precision)},
          {"memory", name(load.memory)}, {"ops", load.ops},
          {"threads", load.threads}};
}

pipeline::LoadOptions load_from_json(const Json& json) {
  return {.files = {json.at("model"), json.at("revision"), json.at("vae"), json.at("config")},
          .device = parse_device(json.at("device").get<std::string>()),
          .precision = parse_precision(json.at("precision").get<std::string>()),
          .memory = parse_memory(json.at("memory").get<std::string>()),
          .ops = json.at("ops"),
          .threads = json.at("threads")};
}

Json run_to_json(const RunTimes& run) {
  return {{"picture", run.picture}, {"seconds", run.seconds}, {"text", run.text},
          {"denoise", run.denoise}, {"decode", run.decode},   {"steps", run.steps}};
}

RunTimes run_from_json(const Json& json) {
  return {json.at("picture"), json.at("seconds"), json.at("text"),
          json.at("denoise"), json.at("decode"),  json.at("steps").get<std::vector<double>>()};
}

MultiplyAdds count_from_json(const Json& json) {
  MultiplyAdds count;
  for_each_kind(count, [&](const char* kind, int64_t& value) { value = json.at(kind).get<int64_t>(); });
  return count;
}

}  // namespace

Json to_json(const MultiplyAdds& count) {
  Json json = {{"total", count.total()}};
  for_each_kind(count, [&](const char* kind, int64_t value) { json[kind] = value; });
  return json;
}

Json to_json(const MeasureJob& job) {
  return {{"load", load_to_json(job.load)},
          {"request", request_to_json(job.request)},
          {"prompts", job.prompts},
          {"seeds", job.seeds},
          {"repeat", job.repeat}};
}

MeasureJob job_from_json(const Json& json) {
  return {load_from_json(json.at("load")), request_from_json(json.at("request")),
          json.at("prompts").get<std::vector<std::string>>(), json.at("seeds").get<std::vector<uint64_t>>(),
          json.at("repeat")};
}

Json to_json(const Measurement& m) {
  Json networks = Json::array(), runs = Json::array();
  for (const auto& network : m.networks)
    networks.push_back({{"name", network.name}, {"parameters", network.parameters}});
  for (const auto& run : m.runs) runs.push_back(run_to_json(run));
  return {{"model", m.model},
          {"family", m.family},
          {"hash", m.hash},
          {"networks", networks},
          {"unet_call", to_json(m.unet_call)},
          {"decoding", to_json(m.decoding)},
          {"settings", m.settings},
          {"load_seconds", m.load_seconds},
          {"warm_up_seconds", m.warm_up_seconds},
          {"loaded_memory", m.loaded_memory},
          {"peak_memory", m.peak_memory},
          {"runs", runs}};
}

Measurement measurement_from_json(const Json& json) {
  Measurement m;
  m.model = json.at("model");
  m.family = json.at("family");
  m.hash = json.at("hash");
  for (const auto& network : json.at("networks")) m.networks.push_back({network.at("name"), network.at("parameters")});
  m.unet_call = count_from_json(json.at("unet_call"));
  m.decoding = count_from_json(json.at("decoding"));
  m.settings = json.at("settings");
  m.load_seconds = json.at("load_seconds");
  m.warm_up_seconds = json.at("warm_up_seconds");
  m.loaded_memory = json.at("loaded_memory");
  m.peak_memory = json.at("peak_memory");
  for (const auto& run : json.at("runs")) m.runs.push_back(run_from_json(run));
  return m;
}

Json picture_to_json(const image::Picture& picture) {
  return {{"width", picture.width},
          {"height", picture.height},
          {"channels", picture.channels},
          {"pixels", report::to_base64(std::as_bytes(std::span(picture.pixels)))}};
}

image::Picture picture_from_json(const Json& json) {
  return {json.at("width"), json.at("height"), json.at("channels"),
          report::from_base64(json.at("pixels").get_ref<const std::string&>())};
}

}  // namespace fresco::evaluation
