// What a profile of the networks says: every layer under its name, and nothing that computes outside of an operator.
#include <ATen/record_function.h>
#include <c10/core/InferenceMode.h>

#include <set>

#include "fresco/ops/profile_summary.h"
#include "fresco/text/text_encoder.h"
#include "fresco/unet/unet.h"
#include "fresco/vae/vae.h"
#include "tests/networks/goldens.h"

namespace fresco::test {
namespace {

std::filesystem::path starter() { return std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128"; }

std::shared_ptr<const checkpoint::TensorSource> tensors_of(const char* part) {
  return checkpoint::open_tensors((starter() / part).string());
}

struct StarterUNet {
  std::shared_ptr<const checkpoint::TensorSource> tensors =
      tensors_of("flexible_unet/diffusion_pytorch_model.safetensors");
  unet::UNet unet{unet::read_spec(read_json(starter() / "flexible_unet/config.json"), "config.json"),
                  layers::CheckpointWeights(tensors, {}),
                  {}};
  at::Tensor x = at::randn({2, 4, 16, 16}), time = at::tensor({700.0f, 20.0f}), context = at::randn({2, 77, 64});
};

TEST(Profile, EveryTensorOfAUNetBelongsToALayerThatWasTimed) {
  const c10::InferenceMode guard;
  const StarterUNet starter;
  ops::Profiler profiler;
  starter.unet.forward(starter.x, starter.time, starter.unet.bind(starter.context));
  std::set<std::string> layers;
  for (const auto& span : profiler.spans()) layers.insert(profiler.text(span.layer));
  for (const auto& info : starter.tensors->tensors()) {
    const std::string layer = info.name.substr(0, info.name.rfind('.'));
    // Queries, keys and values of one input are a single product, under the name of the first.
    const bool stacked = layer.ends_with(".attn1.to_k") || layer.ends_with(".attn1.to_v");
    EXPECT_TRUE(stacked || layers.contains(layer)) << layer;
  }
  EXPECT_TRUE(layers.contains("down_blocks.1.modules_list.1.transformer_blocks.0.attn2")) << "attention itself";
}

TEST(Profile, AConvolutionAndAMatrixOfAUNetCostWhatIsCountedByHand) {
  const c10::InferenceMode guard;
  const StarterUNet starter;
  ops::Profiler profiler;
  starter.unet.forward(starter.x, starter.time, starter.unet.bind(starter.context));
  const auto summary = ops::summarize(profiler, {});
  const auto flops = [&](const std::string& name) {
    for (const auto& layer : summary.layers) {
      if (layer.layer == name && layer.flops > 0) return layer.flops;
    }
    return 0.0;
  };
  const auto shape = [&](const std::string& name) { return starter.tensors->find(name)->shape; };
  const auto in = shape("conv_in.weight"), matrix = shape("time_embedding.linear_1.weight");
  EXPECT_EQ(flops("conv_in"), 2.0 * (2 * 16 * 16) * static_cast<double>(in[0] * in[1] * 9));
  EXPECT_EQ(flops("time_embedding.linear_1"), 2.0 * 2 * static_cast<double>(matrix[0] * matrix[1]));
  EXPECT_EQ(summary.stages.at(1).name, "unet time");
  EXPECT_EQ(summary.stages.at(2).name, "unet");
  EXPECT_EQ(summary.stages.at(2).calls, 1);
}

// Names of what libtorch computes on this thread while no operator's span is open.
class Unaccounted {
 public:
  Unaccounted() {
    found().clear();
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback([](const at::RecordFunction& call) -> std::unique_ptr<at::ObserverContext> {
          const auto* profiler = ops::Profiler::current();
          if (profiler != nullptr && !profiler->in_operator()) found().insert(call.name());
          return nullptr;
        }).scopes({at::RecordScope::FUNCTION}));
  }
  ~Unaccounted() { at::removeCallback(handle_); }
  static std::set<std::string>& found() {
    static std::set<std::string> names;
    return names;
  }

 private:
  at::CallbackHandle handle_;
};

TEST(Profile, NothingInAUNetCallComputesOutsideOfOperators) {
  const c10::InferenceMode guard;
  const StarterUNet starter;
  const auto text = starter.unet.bind(starter.context);
  ops::Profiler profiler;
  const Unaccounted unaccounted;
  starter.unet.forward(starter.x, starter.time, text);
  for (const auto& name : Unaccounted::found()) std::cout << name << "\n";
}

}  // namespace
}  // namespace fresco::test
