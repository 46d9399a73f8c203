#pragma once
// A sampler as data: one table row a U-Net call, over a few registers. One loop runs every plan (pipeline/denoise),
// one operator applies a row (ops/mix).
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace fresco::sampling {

/// History entries a row may read; the newest is 0: the one this call has just made.
constexpr int kHistory = 4;
/// History entries the loop holds: PNDM's Runge-Kutta start pushes and drops above older ones.
constexpr int kHeldHistory = 6;

/// A linear combination of registers, all of the sample's shape.
struct Mix {
  double sample = 0;  // x
  double output = 0;  // what the model said, after guidance
  double kept = 0;    // the one sample put aside
  std::array<double, kHistory> history{};
  double noise = 0;  // fresh standard normal numbers
};

/// How strongly a clean latent and noise stand in a sample: x = signal * x0 + noise * z.
struct Level {
  double signal = 1;
  double noise = 0;
};

/// A step of `change` along (sample - history[0]) / sigma, the slope of samplers that think in sigmas. As numbers it is the update's shares
/// of sample and history[0]; said apart because at sigma 4096 the order of float32 operations decides the fifth digit.
struct Slope {
  double sigma = 1;
  double change = 0;
};

/// One U-Net call and what is made of it, in this order:
///   output  = guided model(input_scale * sample, timestep)
///   entry   = mix(`entry`) over {sample, output} (clipped to +-clip when set); pushed as history[0]
///   sample  = mix(*`correction`) when set (UniPC), which may read history[0]
///   kept    = sample when `keep`
///   noise   = drawn when `draws_noise`, whether or not its coefficient is 0 (the stream of random numbers must move)
///   sample  = mix(`update`), its shares of sample and history[0] taken as `slope` says when set
///   the `drops` newest history entries are dropped again, and older ones move up
struct Row {
  double timestep = 0;  // may be fractional
  double input_scale = 1;
  Mix entry;  // uses sample and output only
  std::optional<double> clip;
  std::optional<Mix> correction;
  bool keep = false;
  bool draws_noise = false;
  Mix update;
  std::optional<Slope> slope;
  int drops = 0;
  /// Level of the sample after this row, as the sampler's own add_noise has it (inpainting blends there).
  Level reached;
};

struct SamplingPlan {
  std::string sampler;      // "ddim", ...
  std::string description;  // one line for records: sampler, schedule, spacing
  /// As the user counts them; rows may be more (PNDM, Heun) or fewer (a start in the middle).
  int steps = 0;
  double initial_noise = 1;  // text to image starts from noise * initial_noise
  Level start;               // image to image starts from start.signal * z + start.noise * noise
  std::vector<Row> rows;
};

}  // namespace fresco::sampling
