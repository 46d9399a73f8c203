#pragma once
// The one loop behind every sampler: for each row of a plan call the network, guide, and mix registers.
#include <ATen/core/Tensor.h>

#include <functional>

#include "fresco/core/observer.h"
#include "fresco/pipeline/noise_stream.h"
#include "fresco/sampling/plan.h"
#include "fresco/unet/unet.h"

namespace fresco::pipeline {

/// What the rows of a plan read and write. All tensors [B, C, h, w] float32.
struct Registers {
  at::Tensor sample, kept;
  std::vector<at::Tensor> history;  // newest first
};

/// Applies one row to the registers; `draw` gives fresh noise when the row wants it.
void apply_row(const sampling::Row& row, const at::Tensor& output, Registers& registers,
               const std::function<at::Tensor()>& draw);

/// Text and strength of guidance of a batch of B pictures.
struct Guidance {
  unet::BoundContext text;  // of 2B texts, unconditional ones first; of B texts without guidance
  double scale = 1;         // guidance runs when above 1
  double rescale = 0;
  bool on() const { return scale > 1; }
};

struct DenoiseHooks {
  /// Called after each row; may change the sample (inpainting lays the kept part over it).
  std::function<void(const sampling::Row&, at::Tensor& sample)> after_row;
  /// Called after that with the row's number; may change all it is given. True: no further row.
  std::function<bool(int, const sampling::Row&, at::Tensor& sample, Guidance&)> control;
  /// For the observer's count: rows that ran in earlier batches of the request, and rows of all its batches (0: this plan's alone).
  int rows_before = 0;
  int rows_in_all = 0;
};

struct DenoiseResult {
  at::Tensor latents;
  std::vector<double> step_seconds;
};

/// Runs all rows from `start` [B, C, h, w]. Errors: Interrupted between rows when the observer asks.
DenoiseResult denoise(const unet::UNet& unet, const sampling::SamplingPlan& plan, Guidance guidance, at::Tensor start,
                      NoiseStream& noise, const DenoiseHooks& hooks, Observer& observer);

}  // namespace fresco::pipeline
