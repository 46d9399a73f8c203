#include "fresco/pipeline/resolve.h"

#include <fmt/format.h>

#include <cmath>
#include <random>

#include "fresco/core/error.h"
#include "fresco/sampling/check_plan.h"

namespace fresco::pipeline {
namespace {

constexpr int kMostPictures = 10000;
constexpr int64_t kLargestSide = 8192;

double checked(const char* option, double value, double least, double most) {
  if (std::isfinite(value) && value >= least && value <= most) return value;
  throw InputError(option,
                   expected_got(fmt::format("a number from {:g} to {:g}", least, most), fmt::format("{:g}", value)));
}

int64_t checked_side(const char* option, int64_t pixels, const ModelSpecs& specs) {
  const int64_t scale = specs.vae.scale();
  if (pixels >= 1 && pixels <= kLargestSide && pixels % scale == 0 && unet::side_fits(specs.unet, pixels / scale))
    return pixels;
  const int64_t near = std::clamp<int64_t>(pixels / scale, 1, kLargestSide / scale);
  const auto [below, at_least] = unet::nearest_sides(specs.unet, near);
  const auto above =
      pixels > 0 && at_least * scale < pixels ? unet::nearest_sides(specs.unet, at_least + 1).second : at_least;
  const std::string near_text = below > 0 && below != above ? fmt::format("{} and {}", below * scale, above * scale)
                                                            : fmt::format("{}", above * scale);
  throw InputError(
      fmt::format("{} {}", option, pixels),
      fmt::format("expected a multiple of {} up to {} whose latents the U-Net can halve and double back; nearest: {}",
                  scale, kLargestSide, near_text));
}

Task task_of(const DrawRequest& request) {
  if (request.mask && !request.has_init())
    throw InputError("--mask", "expected together with --init, the picture to paint on");
  if (request.strength && !request.has_init())
    throw InputError("--strength", "expected together with --init, the picture to start from");
  return request.mask ? Task::inpainting : request.has_init() ? Task::image_to_image : Task::text_to_image;
}

// diffusers: image to image takes the picture's size rounded down to the VAE's scale, the others what the model was trained for.
void resolve_size(Resolved& resolved, const ModelSpecs& specs, const DrawRequest& request) {
  const int64_t scale = specs.vae.scale();
  int64_t width = specs.defaults.width, height = specs.defaults.height;
  if (resolved.task == Task::image_to_image) {
    const auto [from_width, from_height] = request.init_size();
    width = from_width / scale * scale;
    height = from_height / scale * scale;
  }
  resolved.width = checked_side(request.width || resolved.task != Task::image_to_image ? "--width" : "--init width",
                                request.width.value_or(width), specs);
  resolved.height = checked_side(request.height || resolved.task != Task::image_to_image ? "--height" : "--init height",
                                 request.height.value_or(height), specs);
}

void check_inputs(const Resolved& resolved, const DrawRequest& request) {
  if (request.init_values) {
    const std::vector<int64_t> wanted{1, 3, resolved.height, resolved.width};
    const auto& values = *request.init_values;
    const auto count = static_cast<size_t>(3 * resolved.height * resolved.width);
    if (values.shape != wanted || values.data.size() != count)
      throw InputError("init_values",
                       expected_got("shape " + checkpoint::to_string(wanted), checkpoint::to_string(values.shape)));
  }
  if (!request.mask) return;
  const auto [width, height] = request.init_size();
  if (request.mask->width != width || request.mask->height != height)
    throw InputError("--mask", expected_got(fmt::format("the size of --init, {}x{}", width, height),
                                            fmt::format("{}x{}", request.mask->width, request.mask->height)));
}

// The squeezed sampler's mode is the published one where the sampler is; it has a default of its own elsewhere.
std::string squeeze_of(const ModelSpecs& specs, const DrawRequest& request) {
  const bool published = !request.plan && (request.sampler.empty() || request.sampler == specs.defaults.sampler);
  return request.squeeze.empty() && published ? specs.defaults.squeeze : request.squeeze;
}

sampling::SamplingPlan own_plan(const DrawRequest& request) {
  if (!request.sampler.empty() || !request.schedule.empty() || !request.squeeze.empty() || request.steps ||
      request.eta || request.strength)
    throw InputError("plan",
                     "expected without sampler, schedule, steps, eta, squeeze and strength: it says these itself");
  sampling::check_plan(*request.plan);
  auto plan = *request.plan;
  if (plan.sampler.empty()) plan.sampler = "own";
  if (plan.steps == 0) plan.steps = static_cast<int>(plan.rows.size());
  return plan;
}

sampling::SamplingPlan plan_of(const Resolved& resolved, const ModelSpecs& specs, const checkpoint::ModelFiles& files,
                               const DrawRequest& request) {
  if (request.plan) return own_plan(request);
  sampling::PlanRequest plan;
  plan.sampler = request.sampler.empty() ? specs.defaults.sampler : request.sampler;
  plan.schedule = request.schedule;
  plan.steps = request.steps;
  plan.default_steps = specs.defaults.steps;
  plan.squeeze = resolved.squeeze;
  plan.eta = resolved.eta;
  plan.inpainting = resolved.task == Task::inpainting;
  if (resolved.task == Task::image_to_image || (plan.inpainting && resolved.strength < 1))
    plan.strength = resolved.strength;
  return sampling::make_plan(files.scheduler, files.scheduler_place, plan);
}

uint64_t random_seed() {
  std::random_device device;
  return device() & 0x7fffffffu;  // short enough to type again
}

void resolve_pictures(Resolved& resolved, const DrawRequest& request) {
  if (request.prompts.empty()) throw InputError("PROMPT", "expected at least one sentence to draw");
  if (request.count < 1) throw InputError("--count", expected_got("a number from 1", fmt::format("{}", request.count)));
  if (static_cast<int64_t>(request.prompts.size()) * request.count > kMostPictures)
    throw InputError("--count", fmt::format("expected at most {} pictures in all, got {} prompts times {}",
                                            kMostPictures, request.prompts.size(), request.count));
  for (const auto& prompt : request.prompts) {
    for (int i = 0; i < request.count; ++i) {
      resolved.seeds.push_back(resolved.seed + resolved.prompts.size());
      resolved.prompts.push_back(prompt);
    }
  }
}

}  // namespace

Resolved resolve(const ModelSpecs& specs, const checkpoint::ModelFiles& files, const DrawRequest& request) {
  Resolved resolved;
  resolved.task = task_of(request);
  resolved.guidance = checked("--guidance", request.guidance.value_or(specs.defaults.guidance), 0, 1000);
  resolved.guidance_rescale =
      checked("--guidance-rescale", request.guidance_rescale.value_or(specs.defaults.guidance_rescale), 0, 1);
  resolved.eta = checked("--eta", request.eta.value_or(0), 0, 1);
  resolved.strength =
      checked("--strength", request.strength.value_or(resolved.task == Task::image_to_image ? 0.8 : 1.0), 0, 1);
  resolved.clip_skip = request.clip_skip;
  if (request.clip_skip < 0 || request.clip_skip >= specs.text.layers)
    throw InputError("--clip-skip",
                     expected_got(fmt::format("0 to {}", specs.text.layers - 1), fmt::format("{}", request.clip_skip)));
  if (request.batch < 0) throw InputError("--batch", expected_got("a number from 0", fmt::format("{}", request.batch)));
  resolve_size(resolved, specs, request);
  check_inputs(resolved, request);
  resolved.seed = request.seed ? *request.seed : random_seed();
  resolve_pictures(resolved, request);
  resolved.squeeze = squeeze_of(specs, request);
  resolved.plan = plan_of(resolved, specs, files, request);
  return resolved;
}

Json settings_json(const Resolved& resolved, const DrawRequest& request) {
  Json json;
  json["prompts"] = request.prompts;
  json["negative"] = request.negative;
  json["sampler"] = resolved.plan.sampler;
  json["plan"] = resolved.plan.description;
  json["steps"] = resolved.plan.steps;
  json["model_calls"] = resolved.plan.rows.size();
  json["schedule"] = request.schedule;
  json["squeeze"] = resolved.squeeze;
  json["eta"] = resolved.eta;
  json["guidance"] = resolved.guidance;
  json["guidance_rescale"] = resolved.guidance_rescale;
  json["clip_skip"] = resolved.clip_skip;
  json["seed"] = resolved.seed;
  json["count"] = request.count;
  json["width"] = resolved.width;
  json["height"] = resolved.height;
  if (resolved.task != Task::text_to_image && !request.plan) json["strength"] = resolved.strength;
  json["task"] = resolved.task == Task::inpainting       ? "inpainting"
                 : resolved.task == Task::image_to_image ? "image-to-image"
                                                         : "text-to-image";
  return json;
}

}  // namespace fresco::pipeline
