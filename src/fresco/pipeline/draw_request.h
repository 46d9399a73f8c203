#pragma once
// Everything that decides a picture, and what comes back.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fresco/core/json.h"
#include "fresco/core/names.h"
#include "fresco/image/picture.h"
#include "fresco/pipeline/generator.h"
#include "fresco/sampling/plan.h"

namespace at {
class Tensor;
}

namespace fresco::pipeline {

/// float32 values that pass the library's border without libtorch's headers, in C order.
struct Values {
  std::vector<int64_t> shape;
  std::vector<float> data;
};

/// Whether pictures are decoded in overlapping tiles: when memory would not do otherwise, always, or never.
enum class Tiling { automatic, always, never };

/// What stands after a row of the plan, to be looked at and changed: the next row goes on from there.
struct RowState {
  int row = 0;   // from 0
  int rows = 0;  // of the plan
  double timestep = 0;
  at::Tensor& latents;  // [B, 4, H/8, W/8] float32, on the model's device
  at::Tensor& context;  // [2B, T, width] of B negative prompts and B prompts, [B, T, width] without guidance
  double& guidance;     // above 1: context is of 2B texts; else of B
  bool& stop;           // true: no further row, the latents are decoded as they are
};

/// Settings that hold for a whole run. Empty optionals mean: what the model is published with.
struct DrawRequest {
  std::vector<std::string> prompts;
  std::string negative;
  std::vector<std::string> negatives;  // instead of `negative`: one for each prompt
  /// Instead of prompts, and of negative prompts: texts that the caller encoded, [N, T, width] of N prompts; of negative ones N or a
  /// single one. clip_skip does not reach them.
  std::optional<Values> prompt_embeds, negative_prompt_embeds;
  std::optional<int> steps;
  std::string sampler;
  Json scheduler;  // instead of the model's own: a scheduler's config, taken as it stands; null: the model's own
  std::string schedule;
  std::optional<double> eta;
  std::string squeeze;
  /// A sampler of the caller's own, instead of sampler, schedule, steps, eta, squeeze and strength. Image to image begins at its `start`,
  /// text to image and inpainting at noise * `initial_noise`.
  std::optional<sampling::SamplingPlan> plan;
  std::optional<double> guidance;
  std::optional<double> guidance_rescale;
  int clip_skip = 0;
  std::optional<uint64_t> seed;  // empty: random, reported in Drawing::settings
  /// Instead of seed, and moved on by what is drawn: one for each picture, or diffusers' way with a single one for them all, which then
  /// are drawn at once.
  std::vector<Generator> generators;
  std::optional<int64_t> width;
  std::optional<int64_t> height;
  int count = 1;  // pictures a prompt
  std::optional<double> strength;
  std::optional<image::Picture> init;
  /// Instead of init, at the size that is drawn: [N, 3, height, width] in 0..1, N is 1 or one for each picture.
  std::optional<Values> init_values;
  /// Instead of drawn numbers, what pictures start from: [N, 4, height/8, width/8], N pictures, of standard deviation 1 where noise is
  /// meant. As in diffusers, inpainting then starts from them alone, whatever its strength.
  std::optional<Values> noise;
  std::optional<image::Picture> mask;  // white is painted anew
  int batch = 0;                       // pictures drawn at once; 0: as memory allows
  Tiling tiling = Tiling::automatic;
  bool decode = true;  // false: latents are all that is wanted
  /// Called after each row with a cheap picture of the first sample; empty: never.
  std::function<void(const image::Picture&)> preview;
  /// Called after each row with its index and the batch's latents [B, 4, H/8, W/8]; empty: never.
  std::function<void(int row, const Values& latents)> after_row;
  /// Called after each row, of all pictures at once; may change what it is given, within the shapes. Empty: never.
  std::function<void(RowState&)> on_row;

  /// How many prompts there are, of either kind.
  size_t prompt_count() const {
    if (!prompt_embeds) return prompts.size();
    return prompt_embeds->shape.empty() ? 0 : static_cast<size_t>(prompt_embeds->shape.front());
  }
  bool has_init() const { return init || init_values; }
  /// {width, height} of what is drawn from; only with has_init().
  std::pair<int64_t, int64_t> init_size() const {
    if (init) return {init->width, init->height};
    return {init_values->shape.at(3), init_values->shape.at(2)};
  }
};

/// One field of DrawRequest as command lines, JSON and picture files know it.
/// visit(name, member): called once for every scalar field above, in their order.
template <typename Request, typename Visitor>
void for_each_setting(Request& request, Visitor&& visit) {
  visit("negative", request.negative);
  visit("steps", request.steps);
  visit("sampler", request.sampler);
  visit("schedule", request.schedule);
  visit("eta", request.eta);
  visit("squeeze", request.squeeze);
  visit("guidance", request.guidance);
  visit("guidance_rescale", request.guidance_rescale);
  visit("clip_skip", request.clip_skip);
  visit("seed", request.seed);
  visit("width", request.width);
  visit("height", request.height);
  visit("count", request.count);
  visit("strength", request.strength);
}

struct StageTime {
  std::string name;
  double seconds = 0;
};

/// One finished picture with the settings that draw it again alone.
struct DrawnPicture {
  image::Picture picture;  // RGB
  std::string prompt;
  uint64_t seed = 0;
};

struct Drawing {
  std::vector<DrawnPicture>
      pictures;    // picture k, prompts first: prompt p's pictures follow each other; none unless decoded
  Values latents;  // [B, 4, H/8, W/8], final, before division by the scaling factor
  Values image;    // [B, 3, H, W], 0..1; empty unless decoded
  Json settings;   // the request with every default resolved: sampler, steps, guidance, seed, precision, operators, ...
  std::vector<StageTime> stages;
  std::vector<double> step_seconds;
};

}  // namespace fresco::pipeline
