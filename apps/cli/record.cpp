#include "record.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "command_line.h"
#include "fresco/checkpoint/model_files.h"
#include "fresco/core/error.h"
#include "fresco/image/parameters.h"

namespace fresco::cli {
namespace {

constexpr const char* kOwnKeyword = "fresco";
constexpr const char* kSharedKeyword = "parameters";

/// Our names and those that other programs write.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kSamplerNames = {
    {{"ddim", "DDIM"},
     {"ddpm", "DDPM"},
     {"pndm", "PLMS"},
     {"euler", "Euler"},
     {"euler-a", "Euler a"},
     {"heun", "Heun"},
     {"dpmpp-2m", "DPM++ 2M"},
     {"dpmpp-2m-sde", "DPM++ 2M SDE"},
     {"dpmpp-3m", "DPM++ 3M"},
     {"unipc", "UniPC"},
     {"lcm", "LCM"},
     {"squeezed-dpmpp", "DPM++ squeezed"}}};

std::string shared_sampler_name(const std::string& name) {
  for (const auto& [ours, theirs] : kSamplerNames) {
    if (ours == name) return std::string(theirs);
  }
  return name;
}

std::string capitalised(std::string word) {
  if (!word.empty() && word[0] >= 'a' && word[0] <= 'z') word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word;
}

/// A setting as text; empty when absent or null.
std::string text_of(const Json& settings, const char* key) {
  const auto found = settings.find(key);
  if (found == settings.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string parameters_text(const Record& record, const Json& settings) {
  image::Parameters parameters{record.prompt, record.choices.negative.value_or(""), {}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) parameters.settings.emplace_back(key, value);
  };
  const Choices& c = record.choices;
  add("Steps", text_of(settings, "steps"));
  add("Sampler", shared_sampler_name(text_of(settings, "sampler")));
  add("Schedule type", capitalised(text_of(settings, "schedule")));
  add("CFG scale", text_of(settings, "guidance"));
  add("Seed", std::to_string(record.seed));
  if (c.width && c.height) add("Size", fmt::format("{}x{}", *c.width, *c.height));
  add("Model hash", record.model_hash.substr(0, 10));
  add("Model", checkpoint::short_name(record.model));
  if (c.vae) add("VAE", checkpoint::short_name(*c.vae));
  if (c.init) add("Denoising strength", text_of(settings, "strength"));
  if (c.clip_skip.value_or(0) > 0)
    add("Clip skip", std::to_string(*c.clip_skip + 1));  // they count the last layer as 1
  add("CFG rescale", text_of(settings, "guidance_rescale"));
  add("Eta", text_of(settings, "eta"));
  add("Squeeze", text_of(settings, "squeeze"));
  add("Init image hash", record.init_sha256);
  add("Mask hash", record.mask_sha256);
  add("Precision", text_of(settings, "precision"));
  add("Operators", text_of(settings, "ops"));
  add("Version", "fresco " + record.version);
  return image::format_parameters(parameters);
}

Json own_json(const Record& record, Json settings) {
  settings["model"] = checkpoint::short_name(record.model);  // not the path: pictures travel
  Json out = {{"version", record.version},
              {"prompt", record.prompt},
              {"seed", record.seed},
              {"model_hash", record.model_hash},
              {"settings", std::move(settings)}};
  Json choices = Json::object();
  const auto put = [&](const char* name, const auto& value) {
    if (value) choices[name] = *value;
  };
  for_each_choice(put, record.choices);
  out["choices"] = std::move(choices);
  if (!record.init_sha256.empty()) out["init_sha256"] = record.init_sha256;
  if (!record.mask_sha256.empty()) out["mask_sha256"] = record.mask_sha256;
  if (record.company.prompts.size() > 1) {
    out["drawn_with"] = {
        {"prompts", record.company.prompts}, {"seed", record.company.seed}, {"index", record.company.index}};
  }
  return out;
}

Company read_company(const Json& json, const std::string& where) {
  const auto found = json.find("drawn_with");
  if (found == json.end()) return {};
  if (!found->is_object()) throw_json_type("drawn_with", *found, where, "an object");
  Company company;
  company.prompts = json_value(*found, "prompts", std::vector<std::string>{}, where);
  company.seed = json_value(*found, "seed", uint64_t{0}, where);
  company.index = json_value(*found, "index", size_t{0}, where);
  if (company.index >= company.prompts.size())
    throw FormatError(where, "key \"drawn_with\": its index lies past its prompts");
  return company;
}

Record read_own(const std::string& text, const std::string& where) {
  const Json json = parse_json(text, where);
  if (!json.is_object()) throw FormatError(where, "expected a JSON object");
  Record record;
  record.prompt = json_value(json, "prompt", std::string(), where);
  record.seed = json_value(json, "seed", uint64_t{0}, where);
  record.version = json_value(json, "version", std::string(), where);
  record.model_hash = json_value(json, "model_hash", std::string(), where);
  record.init_sha256 = json_value(json, "init_sha256", std::string(), where);
  record.mask_sha256 = json_value(json, "mask_sha256", std::string(), where);
  record.company = read_company(json, where);
  const Json choices = json.value("choices", Json::object());
  if (!choices.is_object()) throw_json_type("choices", choices, where, "an object");
  const auto take = [&](const char* name, auto& value) {
    using Value = typename std::decay_t<decltype(value)>::value_type;
    if (choices.contains(name)) value = json_value(choices, name, Value{}, where);
  };
  for_each_choice(take, record.choices);
  return record;
}

/// As far as another program's text tells.
Record read_shared(const std::string& text, const std::string& where) {
  const image::Parameters parameters = image::parse_parameters(text);
  Record record;
  record.exact = false;
  record.prompt = parameters.prompt;
  Choices& c = record.choices;
  if (!parameters.negative.empty()) c.negative = parameters.negative;
  if (const auto seed = parameters.find("Seed")) record.seed = parse_seed(where + ": Seed", *seed).value_or(0);
  if (const auto steps = parameters.find("Steps"))
    c.steps = static_cast<int>(parse_integer(where + ": Steps", *steps, 1, 1000));
  if (const auto guidance = parameters.find("CFG scale")) c.guidance = parse_real(where + ": CFG scale", *guidance);
  if (const auto strength = parameters.find("Denoising strength"))
    c.strength = parse_real(where + ": Denoising strength", *strength);
  if (const auto size = parameters.find("Size")) {
    const size_t cross = size->find('x');
    c.width = parse_integer(where + ": Size", size->substr(0, cross), 1, 1 << 16);
    c.height = parse_integer(where + ": Size", cross == std::string::npos ? "" : size->substr(cross + 1), 1, 1 << 16);
  }
  for (const auto& [ours, theirs] : kSamplerNames) {
    const auto sampler = parameters.find("Sampler");
    if (sampler && sampler->substr(0, sampler->find(" Karras")) == theirs) c.sampler = std::string(ours);
    if (sampler && sampler->ends_with(" Karras")) c.schedule = "karras";
  }
  if (parameters.find("Schedule type") == "Karras") c.schedule = "karras";
  return record;
}

}  // namespace

void take_resolved(Choices& choices, const Json& settings) {
  // A squeezed sampler counts its steps by its mode.
  const bool squeezed = text_of(settings, "sampler") == "squeezed-dpmpp";
  const auto take = [&](const char* key, auto& value) {
    using Value = typename std::decay_t<decltype(value)>::value_type;
    const auto found = settings.find(key);
    if (!value && found != settings.end() && detail::json_fits<Value>(*found)) value = found->template get<Value>();
  };
  if (!squeezed) take("steps", choices.steps);
  take("guidance", choices.guidance);
  take("guidance_rescale", choices.guidance_rescale);
  take("width", choices.width);
  take("height", choices.height);
  take("device", choices.device);
  take("threads", choices.threads);
  if (choices.init) take("strength", choices.strength);
  // Not `auto`, whatever was asked for.
  if (choices.precision == "auto") choices.precision.reset();
  if (choices.device == "auto") choices.device.reset();
  take("precision", choices.precision);
  take("device", choices.device);
}

std::vector<image::Text> record_texts(const Record& record, const Json& settings) {
  return {{kSharedKeyword, parameters_text(record, settings)},
          {kOwnKeyword, own_json(record, settings).dump(-1, ' ', false, Json::error_handler_t::replace)}};
}

Record read_record(const std::filesystem::path& picture) {
  const std::string where = fmt::format("--like {}", picture.string());
  std::optional<std::string> own, shared;
  for (const image::Text& text : image::read_texts(picture)) {
    if (text.keyword == kOwnKeyword) own = text.text;
    if (text.keyword == kSharedKeyword) shared = text.text;
  }
  if (own) return read_own(*own, where);
  if (shared) return read_shared(*shared, where);
  throw InputError(where, "expected a picture with a `parameters` text, got one that does not say how it was drawn");
}

}  // namespace fresco::cli
