// A U-Net of one's own as a spec: leaves out one transformer cell of a model's after the other, as a search for a smaller network
// begins, and tells how far the prediction moves and what is saved: own_unet MODEL PROMPT
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fresco/fresco.h>
#include <fresco/pipeline/model_specs.h>
#include <fresco/text/text_encoder.h>
#include <fresco/text/tokenizer.h>
#include <fresco/unet/multiply_adds.h>
#include <fresco/unet/unet.h>

#include <cstdio>

using fresco::layers::CheckpointWeights;
using fresco::unet::UNetSpec;

// The resnet before the cell pushes the skip that it pushed. Names of tensors stay, so the model's own weights fit.
static UNetSpec without(UNetSpec spec, size_t stage, size_t cell) {
  auto& cells = spec.stages[stage].cells;
  cells.at(cell - 1).pushes_skip = cells.at(cell - 1).pushes_skip || cells[cell].pushes_skip;
  cells.erase(cells.begin() + static_cast<int64_t>(cell));
  return spec;
}

int main(int argc, char** argv) try {
  if (argc < 3) throw fresco::InputError("own_unet", "expected MODEL PROMPT");

  const c10::InferenceMode no_gradients;
  const auto files = fresco::checkpoint::open_model({.model = argv[1]}, fresco::no_observer());
  const auto specs = fresco::pipeline::read_specs(files);
  const fresco::text::TextEncoder encoder(specs.text, CheckpointWeights(files.text_encoder.tensors, {}), {});
  const auto ids = fresco::text::Tokenizer::built_in().encode(argv[2]).ids;
  const auto context = encoder.forward(at::tensor(ids).unsqueeze(0));  // [1, 77, width]
  const int64_t side = specs.unet.sample_size;
  at::manual_seed(1);
  const auto latents = at::randn({1, specs.unet.in_channels, side, side});
  const auto predict = [&](const UNetSpec& spec) {
    fresco::unet::check_spec(spec, "own_unet");
    const fresco::unet::UNet unet(spec, CheckpointWeights(files.unet.tensors, {}), {});
    return unet.forward(latents, at::full({1}, 500.0f), unet.bind(context));
  };

  const auto whole = predict(specs.unet);
  const auto arithmetic = [&](const UNetSpec& spec) { return multiply_adds(spec, side, side).total(); };
  for (size_t s = 0; s < specs.unet.stages.size(); ++s) {
    for (size_t c = 1; c < specs.unet.stages[s].cells.size(); ++c) {
      const auto& cell = specs.unet.stages[s].cells[c];
      if (cell.kind != fresco::unet::CellKind::transformer) continue;
      const auto spec = without(specs.unet, s, c);
      const double moved = ((predict(spec) - whole).norm() / whole.norm()).item<double>();
      const double kept = 1.0 * arithmetic(spec) / arithmetic(specs.unet);
      std::printf("%-40s moves %5.1f%%, saves %4.1f%%\n", cell.prefix.c_str(), 100 * moved, 100 - 100 * kept);
    }
  }
} catch (const fresco::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.exit_status());
}
