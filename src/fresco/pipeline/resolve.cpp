#include "fresco/pipeline/resolve.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "fresco/core/error.h"
#include "fresco/sampling/check_plan.h"

namespace fresco::pipeline {
namespace {

constexpr int kMostPictures = 10000;
constexpr int64_t kLargestSide = 8192;
constexpr int64_t kMostTokens = 4096;  // of a text that the caller encoded

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
  std::vector<std::string> nearest;
  for (const int64_t side : {below * scale, above * scale}) {
    const auto text = fmt::format("{}", side);
    if (side >= 1 && side <= kLargestSide && (nearest.empty() || nearest.back() != text)) nearest.push_back(text);
  }
  throw InputError(
      fmt::format("{} {}", option, pixels),
      fmt::format("expected a multiple of {} up to {} whose latents the U-Net can halve and double back; nearest: {}",
                  scale, kLargestSide, fmt::join(nearest, " and ")));
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
  if (request.noise) {
    width = request.noise->shape[3] * scale;
    height = request.noise->shape[2] * scale;
  }
  resolved.width = checked_side(request.width || resolved.task != Task::image_to_image ? "--width" : "--init width",
                                request.width.value_or(width), specs);
  resolved.height = checked_side(request.height || resolved.task != Task::image_to_image ? "--height" : "--init height",
                                 request.height.value_or(height), specs);
}

void check_sides(const char* where, const std::optional<Values>& values) {
  const int64_t most = kLargestSide;
  const auto fits = [&](int64_t side) { return side >= 1 && side <= most; };
  if (values && (values->shape.size() != 4 || !std::all_of(values->shape.begin(), values->shape.end(), fits)))
    throw InputError(where,
                     expected_got("shape [pictures, channels, height, width]", checkpoint::to_string(values->shape)));
}

// `wanted`: [N, C, H, W] of N pictures; a single one will do for all.
void check_values(const char* where, const Values& values, std::vector<int64_t> wanted) {
  const auto full = checkpoint::to_string(wanted);
  if (!values.shape.empty() && values.shape[0] == 1) wanted[0] = 1;
  int64_t count = 1;
  for (const int64_t side : wanted) count *= side;
  if (values.shape != wanted || values.data.size() != static_cast<size_t>(count))
    throw InputError(where, expected_got("shape " + full, checkpoint::to_string(values.shape)));
  const auto odd = std::ranges::find_if(values.data, [](float value) { return !std::isfinite(value); });
  if (odd != values.data.end()) throw InputError(where, expected_got("finite numbers", fmt::format("{}", *odd)));
}

void check_inputs(const Resolved& resolved, const ModelSpecs& specs, const DrawRequest& request) {
  const auto pictures = static_cast<int64_t>(resolved.prompts.size());
  const int64_t scale = specs.vae.scale();
  if (request.init_values)
    check_values("init_values", *request.init_values, {pictures, 3, resolved.height, resolved.width});
  if (request.noise)
    check_values("noise", *request.noise,
                 {pictures, specs.unet.in_channels, resolved.height / scale, resolved.width / scale});
  if (!request.mask) return;
  const auto [width, height] = request.init_size();
  if (request.mask->width != width || request.mask->height != height)
    throw InputError("--mask", expected_got(fmt::format("the size of --init, {}x{}", width, height),
                                            fmt::format("{}x{}", request.mask->width, request.mask->height)));
}

// The squeezed sampler's mode is the published one where the sampler is; it has a default of its own elsewhere.
std::string squeeze_of(const ModelSpecs& specs, const DrawRequest& request) {
  const bool published = !request.plan && request.scheduler.is_null() &&
                         (request.sampler.empty() || request.sampler == specs.defaults.sampler);
  return request.squeeze.empty() && published ? specs.defaults.squeeze : request.squeeze;
}

sampling::SamplingPlan own_plan(const DrawRequest& request) {
  if (!request.sampler.empty() || !request.scheduler.is_null() || !request.schedule.empty() ||
      !request.squeeze.empty() || request.steps || request.eta || request.strength)
    throw InputError(
        "plan",
        "expected without sampler, scheduler, schedule, steps, eta, squeeze and strength: it says these itself");
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
  plan.as_stated = !request.scheduler.is_null();
  if (resolved.task == Task::image_to_image || (plan.inpainting && resolved.strength < 1))
    plan.strength = resolved.strength;
  if (plan.as_stated) {
    plan.sampler = request.sampler;
    return sampling::make_plan(request.scheduler, "scheduler", plan);
  }
  return sampling::make_plan(files.scheduler, files.scheduler_place, plan);
}

uint64_t random_seed() {
  std::random_device device;
  return device() & 0x7fffffffu;  // short enough to type again
}

/// `count`: how many texts there must be; a single one will do where it is 0.
void check_embeds(const char* where, const Values& embeds, const ModelSpecs& specs, size_t count) {
  const auto& shape = embeds.shape;
  const int64_t width = specs.unet.context_width;
  const bool fits = shape.size() == 3 && shape[0] >= 1 && shape[0] <= kMostPictures && shape[1] >= 1 &&
                    shape[1] <= kMostTokens && shape[2] == width &&
                    embeds.data.size() == static_cast<size_t>(shape[0] * shape[1] * shape[2]);
  if (!fits || (count > 0 && shape[0] != 1 && static_cast<size_t>(shape[0]) != count))
    throw InputError(where, expected_got(fmt::format("shape [{}, tokens, {}]",
                                                     count > 0 ? fmt::format("{}", count) : "prompts", width),
                                         checkpoint::to_string(shape)));
}

void check_texts(const ModelSpecs& specs, const DrawRequest& request) {
  const auto& positive = request.prompt_embeds;
  const auto& negative = request.negative_prompt_embeds;
  if (positive && !request.prompts.empty()) throw InputError("prompt_embeds", "expected instead of prompts");
  if (negative && !(request.negative.empty() && request.negatives.empty()))
    throw InputError("negative_prompt_embeds", "expected instead of a negative prompt");
  if (!positive && request.prompts.empty()) throw InputError("PROMPT", "expected at least one sentence to draw");
  if (positive) check_embeds("prompt_embeds", *positive, specs, 0);
  if (negative) check_embeds("negative_prompt_embeds", *negative, specs, request.prompt_count());
  if (!positive && !negative) return;
  const int64_t tokens = positive ? positive->shape[1] : specs.text.positions;
  const int64_t others = negative ? negative->shape[1] : specs.text.positions;
  if (tokens != others)
    throw InputError(negative ? "negative_prompt_embeds" : "prompt_embeds",
                     expected_got(fmt::format("{} tokens, as many as the {} has", negative ? tokens : others,
                                              negative ? "prompt" : "negative prompt"),
                                  fmt::format("{}", negative ? others : tokens)));
}

void resolve_pictures(Resolved& resolved, const DrawRequest& request) {
  const size_t prompts = request.prompt_count();
  if (request.count < 1) throw InputError("--count", expected_got("a number from 1", fmt::format("{}", request.count)));
  if (static_cast<int64_t>(prompts) * request.count > kMostPictures)
    throw InputError("--count", fmt::format("expected at most {} pictures in all, got {} prompts times {}",
                                            kMostPictures, prompts, request.count));
  if (!request.negatives.empty() && request.negatives.size() != prompts)
    throw InputError("negatives", expected_got(fmt::format("{}, one for each prompt", prompts),
                                               fmt::format("{}", request.negatives.size())));
  for (size_t p = 0; p < prompts; ++p) {
    for (int i = 0; i < request.count; ++i) {
      resolved.prompts.push_back(request.prompt_embeds ? "" : request.prompts[p]);
      resolved.negatives.push_back(request.negatives.empty() ? request.negative : request.negatives[p]);
    }
  }
}

void resolve_seeds(Resolved& resolved, const DrawRequest& request) {
  const size_t pictures = resolved.prompts.size(), generators = request.generators.size();
  if (generators > 1 && generators != pictures)
    throw InputError("generators", expected_got(fmt::format("1, or {}: one for each picture", pictures),
                                                fmt::format("{}", generators)));
  resolved.seed = generators > 0 ? request.generators[0].seed() : request.seed ? *request.seed : random_seed();
  for (size_t k = 0; k < pictures; ++k)
    resolved.seeds.push_back(generators == 0   ? resolved.seed + k
                             : generators == 1 ? resolved.seed
                                               : request.generators[k].seed());
}

}  // namespace

Resolved resolve(const ModelSpecs& specs, const checkpoint::ModelFiles& files, const DrawRequest& request) {
  check_sides("init_values", request.init_values);
  check_sides("noise", request.noise);
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
  check_texts(specs, request);
  resolve_pictures(resolved, request);
  resolve_seeds(resolved, request);
  check_inputs(resolved, specs, request);
  resolved.squeeze = squeeze_of(specs, request);
  resolved.plan = plan_of(resolved, specs, files, request);
  return resolved;
}

Json settings_json(const Resolved& resolved, const DrawRequest& request) {
  Json json;
  json["prompts"] = request.prompts;
  if (request.prompt_embeds) json["prompt_embeds"] = request.prompt_embeds->shape;
  if (request.negative_prompt_embeds) json["negative_prompt_embeds"] = request.negative_prompt_embeds->shape;
  json["negative"] = request.negatives.empty() ? Json(request.negative) : Json(request.negatives);
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
