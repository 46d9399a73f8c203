#include "fresco/pipeline/calibrate.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "fresco/core/error.h"
#include "fresco/layers/linear_watch.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/pipeline/loaded_model.h"

namespace fresco::pipeline {
namespace {

using checkpoint::CalibratedLayer;
using checkpoint::Calibration;

// A matrix whose noise is a tenth of its signal or more is kept.
constexpr double kFloorDb = 20;
// 8-bit pictures are to be 27 dB near the exact ones; on these few prompts half that error is asked for, or what bfloat16 reaches with
// twice its noise: some pictures hang on so little that nothing else can be had.
constexpr double kPictureDb = 33, kNearBf16Db = 3;
// More layers at a time that are kept when that is missed: an eighth of all.
constexpr size_t kShare = 8;
// Rows of a product that are looked at: each is rounded by itself, so that some speak for all.
constexpr int64_t kRows = 128;

double decibels(double ratio) { return -10 * std::log10(std::max(ratio, 1e-30)); }

// Which matrices a network multiplies as 8-bit integers.
class Names : public layers::LinearWatch {
 public:
  void on_linear(const ops::LinearWeights& layer, const at::Tensor&) override {
    if (layer.kernels().products == ops::Products::i8) found.insert(layer.name);
  }
  std::set<std::string> found;
};

// Multiplies rows of their products once more, in 8-bit integers.
class NoiseMeter : public layers::LinearWatch {
 public:
  explicit NoiseMeter(const std::set<std::string>& names) : names_(names) {}
  void on_linear(const ops::LinearWeights& layer, const at::Tensor& x) override {
    if (!names_.contains(layer.name)) return;
    const ops::ScopedArena outlives_the_call(nullptr);
    const at::Tensor none;
    const auto rows = some_of(x);
    const auto exact = ops::linear({rows, layer, none});
    Meter& meter = meters_[layer.name];
    if (!meter.rounded) meter.rounded = in_int8(layer);
    const auto noise = ops::linear({rows, *meter.rounded, none}) - exact;
    const double signal = exact.square().sum(at::kDouble).item<double>();
    meter.ratios += noise.square().sum(at::kDouble).item<double>() / std::max(signal, 1e-30);
    ++meter.calls;
  }

  std::vector<CalibratedLayer> layers(const checkpoint::ModelFiles& files) const {
    std::vector<CalibratedLayer> found;
    for (const auto& [name, meter] : meters_)
      found.push_back({part_of(files, name), name, decibels(meter.ratios / meter.calls), false});
    std::ranges::stable_sort(found, {}, &CalibratedLayer::db);
    return found;
  }

 private:
  struct Meter {
    std::unique_ptr<ops::LinearWeights> rounded;
    double ratios = 0;  // noise over signal, summed over calls: every step counts alike, however large its values
    int calls = 0;
  };

  static at::Tensor some_of(const at::Tensor& x) {
    const auto rows = x.reshape({-1, x.size(-1)});
    const int64_t apart = std::max<int64_t>(1, rows.size(0) / kRows);
    return rows.index_select(0, at::arange(0, rows.size(0), apart)).contiguous();
  }

  static std::unique_ptr<ops::LinearWeights> in_int8(const ops::LinearWeights& layer) {
    const ops::ScopedForm form("auto", ops::Products::i8);
    return std::make_unique<ops::LinearWeights>(layer.weight(at::kFloat), layer.bias(), layer.gated());
  }

  static std::string part_of(const checkpoint::ModelFiles& files, const std::string& layer) {
    const std::string key = layer + ".weight";
    return files.unet.tensors->find(key) != nullptr  ? "unet"
           : files.vae.tensors->find(key) != nullptr ? "vae"
                                                     : "text_encoder";
  }

  const std::set<std::string>& names_;
  std::map<std::string, Meter> meters_;
};

// The worst picture's peak signal-to-noise ratio, in dB, of pictures [B, 3, H, W] in 0..1.
double worst_psnr(const Values& got, const Values& exact) {
  const size_t pictures = static_cast<size_t>(exact.shape.at(0)), each = exact.data.size() / pictures;
  double worst = INFINITY;
  for (size_t k = 0; k < pictures; ++k) {
    double sum = 0;
    for (size_t i = k * each; i < (k + 1) * each; ++i) {
      const double apart = got.data[i] - exact.data[i];
      sum += apart * apart;
    }
    worst = std::min(worst, decibels(sum / static_cast<double>(each)));
  }
  return worst;
}

class Calibrating {
 public:
  Calibrating(const CalibrateRequest& request, Observer& observer) : request_(request), observer_(observer) {
    found_.program = fmt::format("fresco {}", version());
    found_.prompts = request.prompts.empty() ? calibration_prompts() : request.prompts;
    found_.steps = request.steps;
    found_.floor_db = kFloorDb;
  }

  Calibration run() {
    const auto plain = draw_plain();
    draw_exact();
    const size_t all = found_.layers.size();
    size_t kept = 0;
    while (kept < all && found_.layers[kept].db < kFloorDb) ++kept;
    found_.plain_db = worst_psnr(plain, exact_);
    found_.picture_db = kept > 0 ? psnr_with(kept) : found_.plain_db;
    if (found_.picture_db < kPictureDb && kept < all) {
      const double enough = std::min(kPictureDb, psnr_with(all) - kNearBf16Db);
      for (; found_.picture_db < enough && kept < all; found_.picture_db = psnr_with(kept))
        kept = std::min(all, std::max(2 * kept, kept + all / kShare + 1));
    }
    keep(kept);
    return std::move(found_);
  }

 private:
  LoadOptions with(Precision precision) const {
    LoadOptions options = request_.load;
    options.device = Device::cpu;
    options.precision = precision;
    if (precision == Precision::int8)  // not what an earlier one left in the folder
      options.calibration = std::make_shared<const Calibration>(found_);
    return options;
  }

  Values draw(const Model& model) const {
    const DrawRequest request{.prompts = found_.prompts, .steps = request_.steps, .seed = 0, .batch = 1};
    return model.draw(request, observer_).image;
  }

  // First of all: whether there are such products here is known before anything is read.
  Values draw_plain() {
    const Model model = Model::load(with(Precision::int8), observer_);
    Names names;
    auto plain = draw(model);
    names_ = std::move(names.found);
    return plain;
  }

  void draw_exact() {
    const Model model = Model::load(with(Precision::f32), observer_);
    NoiseMeter meter(names_);
    exact_ = draw(model);
    found_.layers = meter.layers(checkpoint::open_model(request_.load.files, observer_));
    found_.weights_hash = model.weights_hash();
  }

  void keep(size_t worst) {
    for (size_t i = 0; i < found_.layers.size(); ++i) found_.layers[i].kept = i < worst;
  }

  double psnr_with(size_t kept) {
    keep(kept);
    return worst_psnr(draw(Model::load(with(Precision::int8), observer_)), exact_);
  }

  const CalibrateRequest& request_;
  Observer& observer_;
  Calibration found_;
  std::set<std::string> names_;
  Values exact_;
};

}  // namespace

const std::vector<std::string>& calibration_prompts() {
  static const std::vector<std::string> prompts{
      "a photo of an astronaut riding a horse on Mars", "an oil painting of a bowl of fruit on a wooden table",
      "a black and white portrait of an old woman, soft light", "a large blue star on a yellow background"};
  return prompts;
}

Calibration calibrate(const CalibrateRequest& request, Observer& observer) {
  if (request.steps < 1) throw InputError("--steps", expected_got("a number from 1", fmt::format("{}", request.steps)));
  return Calibrating(request, observer).run();
}

}  // namespace fresco::pipeline
