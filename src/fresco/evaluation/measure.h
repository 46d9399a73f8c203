#pragma once
// One model drawing a list of pictures, with the clock running.
#include <cstdint>
#include <string>
#include <vector>

#include "fresco/core/multiply_adds.h"
#include "fresco/core/observer.h"
#include "fresco/image/picture.h"
#include "fresco/pipeline/model.h"

namespace fresco::evaluation {

/// What one model is to do.
struct MeasureJob {
  pipeline::LoadOptions load;
  pipeline::DrawRequest request;     // without prompts, seed and count
  std::vector<std::string> prompts;  // picture k shows prompts[k] ...
  std::vector<uint64_t> seeds;       // ... from seeds[k]
  int repeat = 1;                    // every picture is drawn, and timed, this often
};

/// One picture drawn alone: seconds from the request to its pixels, and where they went.
struct RunTimes {
  size_t picture = 0;
  double seconds = 0;
  double text = 0, denoise = 0, decode = 0;
  std::vector<double> steps;  // each U-Net call with its share of sampling
};

struct NetworkSize {
  std::string name;  // "text_encoder", "unet", "vae"
  int64_t parameters = 0;
};

struct Measurement {
  std::string model;   // as it was asked for
  std::string family;  // "DeciDiffusion 1.0"
  std::string hash;    // of its weights
  std::vector<NetworkSize> networks;
  MultiplyAdds unet_call;  // of one sample; a guided call has two
  MultiplyAdds decoding;
  Json settings;  // Drawing::settings without prompts and seed
  double load_seconds = 0;
  double warm_up_seconds = 0;
  uint64_t loaded_memory = 0;  // peak resident bytes of the process, once the weights are loaded
  uint64_t peak_memory = 0;    // at the end
  std::vector<RunTimes> runs;
  std::vector<image::Picture> pictures;  // each once, RGB

  bool guided() const { return settings.value("guidance", 0.0) > 1; }
  int64_t steps() const { return settings.value("steps", int64_t{0}); }
  int64_t model_calls() const { return settings.value("model_calls", int64_t{0}); }
  /// U-Net and decoder; the text encoder is left out.
  int64_t multiply_adds_a_picture() const;
};

/// Loads the model, draws one picture of a single step that is not counted (weights are packed when they first run, caches fill), then the
/// pictures one at a time. Steps are counted over the whole job. peak_memory is the process's: measure a second model in another one.
/// Errors: those of Model::load and Model::draw.
Measurement measure(const MeasureJob& job, Observer& observer);

}  // namespace fresco::evaluation
