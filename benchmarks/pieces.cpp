#include "pieces.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "fresco/core/error.h"
#include "fresco/core/memory.h"
#include "fresco/layers/packed_source.h"

namespace fresco::benchmarks {
namespace {

constexpr int64_t kTokens = 77;
constexpr double kTime = 500;

at::Tensor random_numbers(at::IntArrayRef shape, uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::dtype(at::kFloat));
}

// Two texts that fill the encoder: start, 75 words, end.
at::Tensor text_ids() {
  const auto words = at::arange(2 * (kTokens - 2), at::kLong).view({2, kTokens - 2}) * 17 + 1000;
  const auto column = [](int64_t id) { return at::full({2, 1}, id, at::kLong); };
  return at::cat({column(49406), words, column(49407)}, 1);
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void check_side(const char* what, bool fits, int64_t size) {
  if (!fits) throw InputError("--size", fmt::format("{} does not run at {} pixels", what, size));
}

}  // namespace

const std::vector<std::string>& piece_names() {
  static const std::vector<std::string> names{"text", "bind", "unet", "vae", "load", "picture"};
  return names;
}

Pieces::Pieces(pipeline::LoadOptions options, int64_t size, int steps, int64_t pictures)
    : options_(std::move(options)), size_(size), pictures_(pictures), steps_(steps) {
  check_side("the autoencoder", size > 0 && size % 8 == 0, size);
  latents_ = random_numbers({pictures, 4, size / 8, size / 8}, 0);  // drawn under two texts, as guidance has it
  latent_ = random_numbers({pictures, 4, size / 8, size / 8}, 1);
  context_ = random_numbers({2, kTokens, 768}, 2).repeat_interleave(pictures, 0);
  ids_ = text_ids();
}

const Pieces::Networks& Pieces::networks() {
  if (networks_) return *networks_;
  const auto files = checkpoint::open_model(options_.files, no_observer());
  const auto specs = pipeline::read_specs(files);
  check_side("the U-Net", unet::side_fits(specs.unet, size_ / 8), size_);
  const auto preparation = pipeline::preparation_for(options_, files);
  const auto weights = [&](const checkpoint::Part& part) { return layers::open_weights(part.tensors, preparation); };
  networks_.emplace(Networks{.text = text::TextEncoder(specs.text, *weights(files.text_encoder), preparation),
                             .unet = unet::UNet(specs.unet, *weights(files.unet), preparation),
                             .vae = vae::Vae(specs.vae, *weights(files.vae), preparation)});
  bound_ = networks_->unet.bind(context_);
  release_freed_memory();
  return *networks_;
}

Timing Pieces::picture() const {
  pipeline::DrawRequest request;
  request.prompts = {"a large blue star on a yellow background"};
  request.sampler = "ddim";  // DeciDiffusion 2.0's own sampler fixes the number of steps
  request.steps = steps_;
  request.seed = 0;
  request.width = request.height = size_;
  Timing timing;
  auto begin = std::chrono::steady_clock::now();
  auto model = pipeline::Model::load(options_);
  timing.load_seconds = seconds_since(begin);
  begin = std::chrono::steady_clock::now();
  const auto drawing = model.draw(request);
  timing.seconds = seconds_since(begin);
  timing.output = at::tensor(drawing.image.data).view(drawing.image.shape);
  return timing;
}

Timing Pieces::run(const std::string& piece) {
  const c10::InferenceMode no_gradients;
  const bool whole = piece == "load" || piece == "picture";
  if (whole) networks_.reset();
  if (piece == "picture") return picture();
  const Networks* parts = whole ? nullptr : &networks();
  const ops::ScopedArena reused(whole ? nullptr : &arena_);
  const auto begin = std::chrono::steady_clock::now();
  Timing timing;
  if (piece == "load") {
    pipeline::Model::load(options_);
  } else if (piece == "text") {
    timing.output = parts->text.forward(ids_);
  } else if (piece == "bind") {
    timing.output = parts->unet.bind(context_).back().back().values;
  } else if (piece == "unet") {
    timing.output = parts->unet.forward(latents_, at::full({pictures_}, kTime, at::kFloat), bound_);
  } else if (piece == "vae") {
    for (int64_t i = 0; i < pictures_; ++i) timing.output = parts->vae.decode(latent_.narrow(0, i, 1));
  } else {
    throw InputError("--pieces",
                     expected_got("one of " + joined(piece_names()), fmt::format("\"{}\"", printable(piece))));
  }
  timing.seconds = seconds_since(begin);
  return timing;
}

uint64_t Pieces::weight_bytes() const {
  return pipeline::weight_bytes(checkpoint::open_model(options_.files, no_observer()), sizeof(float));
}

}  // namespace fresco::benchmarks
