#pragma once
// A request with every default filled in and every value checked, before anything is computed.
#include "fresco/pipeline/model_specs.h"
#include "fresco/sampling/sampler.h"

namespace fresco::pipeline {

enum class Task { text_to_image, image_to_image, inpainting };

struct Resolved {
  Task task = Task::text_to_image;
  sampling::SamplingPlan plan;
  std::string squeeze;  // the mode, for the squeezed sampler
  double guidance = 7.5;
  double guidance_rescale = 0;
  double eta = 0;
  double strength = 1;
  int clip_skip = 0;
  int64_t width = 0;
  int64_t height = 0;
  uint64_t seed = 0;
  // One for each picture.
  std::vector<std::string> prompts, negatives;
  std::vector<uint64_t> seeds;  // seed + k; with generators, what their streams began with
};

/// Errors: InputError naming the option, what was expected and what came.
Resolved resolve(const ModelSpecs& specs, const checkpoint::ModelFiles& files, const DrawRequest& request);

/// The resolved request for records: names of for_each_setting, with values.
Json settings_json(const Resolved& resolved, const DrawRequest& request);

}  // namespace fresco::pipeline
