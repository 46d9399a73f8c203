#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fresco/checkpoint/calibration.h"
#include "fresco/checkpoint/model_files.h"
#include "fresco/core/names.h"
#include "fresco/core/observer.h"
#include "fresco/pipeline/draw_request.h"

namespace fresco::pipeline {

struct LoadOptions {
  checkpoint::ModelRequest files;
  Device device = Device::automatic;
  Precision precision = Precision::automatic;
  /// lean: weights stay in the model's file, which must not change meanwhile, and are read anew for each use; pictures of more than
  /// 512x512 pixels or so are decoded in tiles. CPU only.
  Memory memory = Memory::fast;
  std::string ops = "auto";  // "auto", "reference", or a form's name
  int threads = 0;           // 0: all processors this process may use
  /// For products in 8-bit integers; null: the one in the model's folder or packed file, if any.
  std::shared_ptr<const checkpoint::Calibration> calibration;
};

/// What a model is published with.
struct Defaults {
  std::string sampler;  // empty: the folder's scheduler
  std::string squeeze;
  int steps = 50;
  double guidance = 7.5;
  double guidance_rescale = 0;
  int64_t width = 512;
  int64_t height = 512;
};

/// A loaded model, ready to draw; cheap to copy (shares the weights). draw() may be called again and again.
class Model {
 public:
  /// Errors: InputError, FormatError, ResourceError (not enough memory: checked before loading, with the numbers; no such device).
  static Model load(const LoadOptions& options, Observer& observer = no_observer());
  /// Of files that are open already, or tensors that lie in memory; options.files is not used.
  static Model load(checkpoint::ModelFiles files, const LoadOptions& options, Observer& observer = no_observer());

  /// Errors: InputError for a request the model cannot fulfil (all of it checked before the first U-Net call), Interrupted.
  Drawing draw(const DrawRequest& request, Observer& observer = no_observer()) const;

  checkpoint::Family family() const;
  const Defaults& defaults() const;
  Device device() const;
  Precision precision() const;
  /// fresco::measured_psnr() where it holds: on a CPU, and not for the reference forms, which keep every value in that precision.
  std::optional<int> measured_psnr() const;
  /// The calibration that it draws with: null without products in 8-bit integers, or when there is none.
  const checkpoint::Calibration* calibration() const;
  /// First 10 hexadecimal digits identify the weights in picture files. Computed on first use.
  const std::string& weights_hash() const;

  struct Impl;
  /// What it is made of (loaded_model.h).
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

/// Precisions that this processor has instructions for, with the forms of operators in force, the fastest first.
std::vector<Precision> native_precisions();

/// Checks a request against a model's configs without loading weights: what draw() would refuse at once is refused here.
void check_request(const checkpoint::ModelFiles& files, const DrawRequest& request);

/// Checks, without loading, that the weights and one picture of the request fit into free memory. Errors: ResourceError with the numbers.
void check_memory(const checkpoint::ModelFiles& files, const DrawRequest& request, const LoadOptions& options);

}  // namespace fresco::pipeline
