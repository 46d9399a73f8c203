#include "fresco/sampling/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/sampling/sampler.h"

namespace fresco::sampling {
namespace {

constexpr int kMostTrainSteps = 100000;

using Names = std::vector<std::string>;

// Keys that every class knows.
const Names kCommonKeys = {"num_train_timesteps", "beta_start",      "beta_end",         "beta_schedule",
                           "trained_betas",       "prediction_type", "timestep_spacing", "steps_offset"};

struct ClassKeys {
  std::string class_name;
  Names keys;  // beside the common ones
};

// Signatures of the classes in diffusers 0.35.2.
const std::vector<ClassKeys> kClasses = {
    {"DDIMScheduler",
     {"clip_sample", "clip_sample_range", "set_alpha_to_one", "thresholding", "rescale_betas_zero_snr"}},
    {"DDPMScheduler", {"clip_sample", "clip_sample_range", "variance_type", "thresholding", "rescale_betas_zero_snr"}},
    {"PNDMScheduler", {"skip_prk_steps", "set_alpha_to_one"}},
    {"EulerDiscreteScheduler",
     {"interpolation_type", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "sigma_min", "sigma_max",
      "timestep_type", "rescale_betas_zero_snr", "final_sigmas_type"}},
    {"EulerAncestralDiscreteScheduler", {"rescale_betas_zero_snr"}},
    {"HeunDiscreteScheduler",
     {"use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "clip_sample", "clip_sample_range"}},
    {"DPMSolverMultistepScheduler",
     {"solver_order", "thresholding", "algorithm_type", "solver_type", "lower_order_final", "euler_at_final",
      "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas",
      "final_sigmas_type", "lambda_min_clipped", "variance_type", "rescale_betas_zero_snr"}},
    {"UniPCMultistepScheduler",
     {"solver_order", "thresholding", "predict_x0", "solver_type", "lower_order_final", "disable_corrector", "solver_p",
      "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_flow_sigmas", "final_sigmas_type",
      "rescale_betas_zero_snr"}},
    {"LCMScheduler",
     {"original_inference_steps", "clip_sample", "clip_sample_range", "set_alpha_to_one", "thresholding",
      "timestep_scaling", "rescale_betas_zero_snr"}},
};

class Reader {
 public:
  Reader(const Json& config, std::string_view place, const std::string& class_name) : config_(config), place_(place) {
    const auto of_class = [&](const ClassKeys& keys) { return keys.class_name == class_name; };
    const auto found = std::find_if(kClasses.begin(), kClasses.end(), of_class);
    known_ = kCommonKeys;
    if (found != kClasses.end()) known_.insert(known_.end(), found->keys.begin(), found->keys.end());
  }

  bool knows(const char* key) const { return std::find(known_.begin(), known_.end(), key) != known_.end(); }
  bool states(const char* key) const { return knows(key) && config_.contains(key) && !config_[key].is_null(); }

  template <typename T>
  T value(const char* key, T fallback) const {
    return knows(key) ? json_value(config_, key, fallback, place_) : fallback;
  }

  double number(const char* key, double fallback, double least, double most) const {
    const double got = value(key, fallback);
    if (!(got >= least && got <= most)) refuse(key, fmt::format("a number from {} to {}", least, most));
    return got;
  }

  int integer(const char* key, int fallback, int least, int most) const {
    const auto got = value<int64_t>(key, fallback);
    // Numbers beyond int64 wrap in the JSON library; they are unsigned there.
    const bool huge =
        states(key) && config_[key].is_number_unsigned() && config_[key].template get<uint64_t>() > INT64_MAX;
    if (huge || got < least || got > most) refuse(key, fmt::format("an integer from {} to {}", least, most));
    return static_cast<int>(got);
  }

  std::string word(const char* key, const std::string& fallback, const Names& allowed) const {
    auto got = value(key, fallback);
    if (std::find(allowed.begin(), allowed.end(), got) == allowed.end()) refuse(key, "one of " + joined(allowed));
    return got;
  }

  /// A switch of diffusers that fresco does not have: only off will do.
  void must_be_off(const char* key) const {
    if (value(key, false)) refuse(key, "false (fresco does not support it)");
  }

  [[noreturn]] void refuse(const char* key, std::string_view expected) const {
    const auto text = config_[key].dump(-1, ' ', false, Json::error_handler_t::replace);
    throw FormatError(place_, fmt::format("\"{}\": {}", key, expected_got(expected, printable(text, 60))));
  }

  const Json& json(const char* key) const { return config_[key]; }

 private:
  const Json& config_;
  std::string_view place_;
  Names known_;
};

Names names_of_samplers() {
  Names names;
  for (const auto& info : samplers()) names.push_back(info.name);
  return names;
}

Names names_of_classes() {
  Names names;
  for (const auto& keys : kClasses) names.push_back(keys.class_name);
  return names;
}

// DPM-Solver++'s three names are one class with other options.
std::string multistep_name(const Json& config, std::string_view place) {
  if (json_value<std::string>(config, "algorithm_type", "dpmsolver++", place).starts_with("sde")) return "dpmpp-2m-sde";
  return json_value<int64_t>(config, "solver_order", 2, place) == 3 ? "dpmpp-3m" : "dpmpp-2m";
}

std::string own_sampler(const Json& config, std::string_view place) {
  const auto class_name = json_value<std::string>(config, "_class_name", "", place);
  if (class_name == "DPMSolverMultistepScheduler") return multistep_name(config, place);
  for (const auto& info : samplers())
    if (info.class_name == class_name) return info.name;
  const auto what = class_name.empty() ? std::string("no \"_class_name\"")
                                       : fmt::format("unknown scheduler \"{}\"", printable(class_name));
  throw FormatError(place, fmt::format("{}; known: {}. Name one of fresco's with --sampler to draw all the same: {}",
                                       what, joined(names_of_classes()), joined(names_of_samplers())));
}

const SamplerInfo& info_of(std::string_view name) {
  for (const auto& info : samplers())
    if (info.name == name) return info;
  const auto names = names_of_samplers();
  const auto near = nearest_name(name, names.data(), names.size());
  throw InputError("--sampler",
                   fmt::format("unknown sampler \"{}\"{}; known: {}", printable(name, 40),
                               near.empty() ? "" : fmt::format(", did you mean {}?", near), joined(names)));
}

void read_betas(Settings& settings, const Reader& reader) {
  settings.train_steps = reader.integer("num_train_timesteps", settings.train_steps, 2, kMostTrainSteps);
  settings.beta_start = reader.number("beta_start", settings.beta_start, 0, 1);
  settings.beta_end = reader.number("beta_end", settings.beta_end, 0, 1);
  const auto schedule =
      reader.word("beta_schedule", settings.betas == Betas::scaled_linear ? "scaled_linear" : "linear",
                  {"linear", "scaled_linear", "squaredcos_cap_v2"});
  settings.betas = schedule == "linear"          ? Betas::linear
                   : schedule == "scaled_linear" ? Betas::scaled_linear
                                                 : Betas::cosine;
  settings.zero_snr = reader.value("rescale_betas_zero_snr", false);
  if (!reader.states("trained_betas")) return;
  settings.betas = Betas::trained;
  settings.trained_betas = reader.value("trained_betas", std::vector<double>{});
  const auto valid = [](double beta) { return beta > 0 && beta < 1; };
  if (settings.trained_betas.size() != static_cast<size_t>(settings.train_steps) ||
      !std::all_of(settings.trained_betas.begin(), settings.trained_betas.end(), valid))
    reader.refuse("trained_betas",
                  fmt::format("{} numbers between 0 and 1, as many as num_train_timesteps", settings.train_steps));
}

void read_prediction(Settings& settings, const Reader& reader) {
  Names known = {"epsilon", "v_prediction"};
  if (settings.sampler != "pndm" && settings.sampler != "euler-a") known.push_back("sample");
  const auto word = reader.word("prediction_type", "epsilon", known);
  settings.prediction = word == "epsilon"        ? Prediction::epsilon
                        : word == "v_prediction" ? Prediction::velocity
                                                 : Prediction::sample;
  reader.must_be_off("thresholding");
}

void read_spacing(Settings& settings, const Reader& reader) {
  const bool leading = settings.spacing == Spacing::leading;
  const auto word =
      reader.word("timestep_spacing", leading ? "leading" : "linspace", {"linspace", "leading", "trailing"});
  settings.spacing = word == "linspace" ? Spacing::linspace : word == "leading" ? Spacing::leading : Spacing::trailing;
  settings.steps_offset = reader.integer("steps_offset", 0, 0, settings.train_steps - 1);
}

void read_sigmas(Settings& settings, const Reader& reader, std::string_view place) {
  int chosen = 0;
  const auto choose = [&](const char* key, Sigmas kind) {
    if (!reader.value(key, false)) return;
    settings.sigmas = kind;
    ++chosen;
  };
  choose("use_karras_sigmas", Sigmas::karras);
  choose("use_exponential_sigmas", Sigmas::exponential);
  choose("use_beta_sigmas", Sigmas::beta);
  if (chosen > 1)
    throw FormatError(
        place, "use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas: expected one of them true at most, got " +
                   std::to_string(chosen));
  for (const auto& [key, end] : {std::pair{"sigma_min", &settings.sigma_min}, {"sigma_max", &settings.sigma_max}})
    if (reader.states(key)) *end = reader.number(key, 0, 1e-10, 1e10);
  settings.last_sigma_zero = reader.word("final_sigmas_type", "zero", {"zero", "sigma_min"}) == "zero";
  reader.must_be_off("use_lu_lambdas");
  reader.must_be_off("use_flow_sigmas");
  reader.word("interpolation_type", "linear", {"linear"});
  // "continuous" has a meaning for velocities alone.
  if (settings.prediction == Prediction::velocity) reader.word("timestep_type", "discrete", {"discrete"});
}

void read_clipping(Settings& settings, const Reader& reader) {
  const bool clips = settings.sampler == "ddim" || settings.sampler == "ddpm";
  const double range = reader.number("clip_sample_range", 1, 0, 1e10);
  if (reader.knows("clip_sample") && reader.value("clip_sample", clips)) settings.clip = range;
}

// A file says -Infinity as Python writes it; the JSON reader hands such words on as text.
double read_lambda_limit(const Reader& reader) {
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  if (!reader.states("lambda_min_clipped") || reader.json("lambda_min_clipped") == "-Infinity") return kNone;
  return reader.number("lambda_min_clipped", kNone, -1e10, 1e10);
}

void read_solver(Settings& settings, const Reader& reader) {
  const bool unipc = settings.sampler == "unipc";
  settings.solver_order = reader.integer("solver_order", 2, 1, 3);
  settings.lower_order_final = reader.value("lower_order_final", true);
  settings.euler_at_final = reader.value("euler_at_final", false);
  settings.lambda_min_clipped = read_lambda_limit(reader);
  const auto type =
      reader.word("solver_type", unipc ? "bh2" : "midpoint", {"midpoint", "heun", "logrho", "bh1", "bh2"});
  // Each class takes the other's types for its own default.
  if (unipc)
    settings.solver_type = type == "bh1" ? "bh1" : "bh2";
  else
    settings.solver_type = type == "heun" ? "heun" : "midpoint";
  if (!reader.value("predict_x0", true)) reader.refuse("predict_x0", "true (fresco does not support false)");
  if (reader.states("solver_p")) reader.refuse("solver_p", "null (fresco does not support another predictor)");
  for (const int64_t step : reader.value("disable_corrector", std::vector<int64_t>{}))
    if (step >= 0 && step < settings.train_steps) settings.disable_corrector.push_back(static_cast<int>(step));
}

// The sampler's name decides what its class leaves to options, unless the config is its own.
void read_multistep_variant(Settings& settings, const Reader& reader, bool own) {
  settings.sde = settings.sampler == "dpmpp-2m-sde";
  if (own) {
    // "deis" is what another class calls the same.
    reader.word("algorithm_type", "dpmsolver++", {"dpmsolver++", "sde-dpmsolver++", "deis"});
  } else {
    settings.solver_order = settings.sampler == "dpmpp-3m" ? 3 : 2;
  }
}

void read_variance(Settings& settings, const Reader& reader) {
  const auto type = reader.value<std::string>("variance_type", "fixed_small");
  if (settings.sampler == "ddpm")
    reader.word("variance_type", "fixed_small", {"fixed_small", "fixed_small_log", "fixed_large"});
  else if (type.starts_with("learned"))
    reader.refuse("variance_type", "a fixed one (fresco does not support models that predict it)");
  settings.large_variance = type == "fixed_large";
}

// Diffusers' pipelines mend the config of the scheduler that they are built with (its own class),
// and what was so changed travels to another class if the file stated it.
void mend_as_pipelines_do(Settings& settings, const Reader& reader, bool own, Loading loading) {
  if (loading == Loading::plain) return;
  if (own || reader.states("steps_offset")) settings.steps_offset = 1;
  if (loading == Loading::drawing && (own || reader.states("clip_sample"))) settings.clip.reset();
  if (loading == Loading::inpainting && (own || reader.states("skip_prk_steps"))) settings.skip_prk_steps = true;
}

Settings class_defaults(const std::string& sampler, std::string_view place) {
  Settings settings{.sampler = sampler, .place = std::string(place)};
  const bool timesteps = sampler == "ddim" || sampler == "ddpm" || sampler == "pndm" || sampler == "lcm";
  settings.spacing = timesteps ? Spacing::leading : Spacing::linspace;
  if (sampler == "lcm") settings.betas = Betas::scaled_linear;
  if (sampler == "lcm" || sampler == "heun") {
    settings.beta_start = 0.00085;
    settings.beta_end = 0.012;
  }
  return settings;
}

}  // namespace

Settings read_settings(const Json& config, std::string_view place, std::string_view sampler, Loading loading) {
  if (!config.is_object()) throw FormatError(place, expected_got("a JSON object", config.type_name()));
  const auto name = sampler.empty() ? own_sampler(config, place) : std::string(sampler);
  const auto& info = info_of(name);
  auto settings = class_defaults(name, place);
  const Reader reader(config, place, info.class_name);
  const bool own_class = config.contains("_class_name") && config["_class_name"] == info.class_name;

  read_betas(settings, reader);
  read_prediction(settings, reader);
  read_spacing(settings, reader);
  read_sigmas(settings, reader, place);
  read_clipping(settings, reader);
  read_solver(settings, reader);
  if (name.starts_with("dpmpp")) read_multistep_variant(settings, reader, sampler.empty());
  read_variance(settings, reader);
  settings.set_alpha_to_one = reader.value("set_alpha_to_one", name != "pndm");
  settings.skip_prk_steps = reader.value("skip_prk_steps", false);
  settings.original_steps = reader.integer("original_inference_steps", 50, 1, settings.train_steps);
  settings.timestep_scaling = reader.number("timestep_scaling", 10, 0, 1e6);
  mend_as_pipelines_do(settings, reader, own_class, loading);
  return settings;
}

}  // namespace fresco::sampling
