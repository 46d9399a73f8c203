// Times training steps of a U-Net (forward, backward, clipping, AdamW) with numbers that compare_training.py put into a folder, so that
// another program can take the same steps. With --requests each line of standard input asks for one step.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>

#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/error.h"
#include "fresco/core/json.h"
#include "fresco/core/memory.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/profile.h"
#include "fresco/unet/read_spec.h"
#include "fresco/unet/unet.h"

namespace fresco::benchmarks {
namespace {

struct Options {
  std::filesystem::path folder;
  layers::Preparation preparation;
  int steps = 5, threads = 0;
  bool requests = false, profile = false;
};

// Trainable tensors; matrices that a layer stacks are one.
class Leaves : public layers::WeightSource {
 public:
  Leaves(const std::filesystem::path& file, const layers::Preparation& preparation)
      : stored_(checkpoint::open_tensors(file.string()), preparation) {}
  at::Tensor get(const std::string& name, at::IntArrayRef shape) const override {
    return keep(stored_.get(name, shape));
  }
  at::Tensor stack(const std::vector<std::string>& names, at::IntArrayRef shape, bool) const override {
    return keep(stored_.stack(names, shape, false));
  }
  std::vector<at::Tensor> all() const { return all_; }

 private:
  at::Tensor keep(at::Tensor value) const {
    all_.push_back(value.clone().requires_grad_());
    return all_.back();
  }
  layers::CheckpointWeights stored_;
  mutable std::vector<at::Tensor> all_;
};

class AdamW {
 public:
  explicit AdamW(std::vector<at::Tensor> parameters) : parameters_(std::move(parameters)) {
    for (const auto& p : parameters_) {
      means_.push_back(at::zeros_like(p));
      squares_.push_back(at::zeros_like(p));
      steps_.push_back(at::zeros({}, at::kFloat));
    }
  }
  void clear() {
    for (auto& p : parameters_) p.mutable_grad().reset();
  }
  /// Gradients are scaled to a norm of at most 1 before.
  void step() {
    const c10::NoGradGuard guard;
    std::vector<at::Tensor> gradients;
    for (const auto& p : parameters_) gradients.push_back(p.grad());
    const auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
    at::_foreach_mul_(gradients, (1 / (norm + 1e-6)).clamp_max(1));
    at::_foreach_add_(steps_, 1);
    at::_fused_adamw_(parameters_, gradients, means_, squares_, {}, steps_, /*lr=*/1e-4, /*beta1=*/0.9, /*beta2=*/0.999,
                      /*weight_decay=*/0.01, /*eps=*/1e-8, /*amsgrad=*/false, /*maximize=*/false);
  }

 private:
  std::vector<at::Tensor> parameters_, means_, squares_, steps_;
};

class Trainer {
 public:
  explicit Trainer(const Options& options)
      : leaves_(options.folder / "diffusion_pytorch_model.safetensors", options.preparation),
        unet_(unet::read_spec(read_json(options.folder / "config.json"), "config.json"), leaves_, options.preparation),
        optimizer_(leaves_.all()) {
    const layers::CheckpointWeights inputs(checkpoint::open_tensors((options.folder / "inputs.safetensors").string()),
                                           {});
    const auto read = [&](const char* name) {
      const auto source = checkpoint::open_tensors((options.folder / "inputs.safetensors").string());
      const auto* info = source->find(name);
      if (info == nullptr) throw FormatError("inputs.safetensors", fmt::format("tensor \"{}\" is missing", name));
      return inputs.get(name, info->shape);
    };
    latents_ = read("latents");
    target_ = read("target");
    times_ = read("times");
    context_ = read("context");
  }

  Json step() {
    const auto begin = std::chrono::steady_clock::now();
    const auto since = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
    optimizer_.clear();
    const ops::ScopedArena scope(&arena_);
    auto loss = (unet_.forward(latents_, times_, unet_.bind(context_)) - target_).square().mean();
    const double forward = since();
    loss.backward();
    const double backward = since();
    optimizer_.step();
    const double seconds = since();
    return {{"seconds", seconds},
            {"forward", forward},
            {"backward", backward - forward},
            {"optimizer", seconds - backward},
            {"images", latents_.size(0)},
            {"loss", loss.item<double>()},
            {"peak_memory_bytes", peak_memory_bytes()}};
  }

 private:
  Leaves leaves_;
  unet::UNet unet_;
  AdamW optimizer_;
  at::Tensor latents_, target_, times_, context_;
  ops::Arena arena_;  // activations of all steps
};

void say(Json record) {
  record["side"] = "fresco";
  std::cout << record.dump() << std::endl;
}

// Operators of one more step, a line each on standard error; what libtorch's autograd does by itself is the rest.
void profile(Trainer& trainer) {
  struct Total {
    int calls = 0;
    double seconds = 0;
  };
  std::map<std::string, Total> totals;
  ops::Profiler profiler;
  const Json record = trainer.step();
  for (const auto& span : profiler.spans()) {
    if (span.kind != ops::SpanKind::op) continue;
    Total& total = totals[fmt::format("{:<18} {}", profiler.text(span.name), profiler.text(span.form))];
    ++total.calls;
    total.seconds += span.seconds;
  }
  std::cerr << record.dump() << '\n';
  for (const auto& [name, total] : totals)
    std::cerr << fmt::format("{:>8.1f} ms {:>4} x  {}\n", total.seconds * 1e3, total.calls, name);
}

int run(int argc, char** argv) {
  Options options;
  std::string precision = "f32";
  CLI::App app{"Times training steps of a U-Net, one JSON object a line"};
  app.add_option("--model", options.folder, "Folder with config, tensors and inputs, as compare_training.py makes it")
      ->required();
  app.add_option("--steps", options.steps, "Steps that are timed")->check(CLI::Range(1, 10000))->capture_default_str();
  app.add_option("--threads", options.threads, "0: all processors")->check(CLI::Range(0, 4096))->capture_default_str();
  app.add_option("--ops", options.preparation.ops, "Form of the operators, as in fresco draw")->capture_default_str();
  app.add_option("--precision", precision, "What products multiply: f32 or bf16")
      ->check(CLI::IsMember({"f32", "bf16"}))
      ->capture_default_str();
  app.add_flag("--checkpointing", options.preparation.recompute_cells, "Compute cells again instead of keeping them");
  app.add_flag("--profile", options.profile, "Also tell where the time of one more step went");
  app.add_flag("--requests", options.requests, "One step for each line of standard input");
  CLI11_PARSE(app, argc, argv);
  if (precision == "bf16") options.preparation.products = ops::Products::bf16;
  if (options.threads > 0) at::set_num_threads(options.threads);
  const ops::ScopedForm form(options.preparation.ops, options.preparation.products);
  const uint64_t before = peak_memory_bytes();
  Trainer trainer(options);
  if (options.requests) {
    say({{"ready", true}, {"program_bytes", before}});
    for (std::string line; std::getline(std::cin, line);) say(trainer.step());
    return 0;
  }
  for (int i = 0; i < options.steps; ++i) say(trainer.step());
  if (options.profile) profile(trainer);
  return 0;
}

}  // namespace
}  // namespace fresco::benchmarks

int main(int argc, char** argv) {
  try {
    return fresco::benchmarks::run(argc, argv);
  } catch (const fresco::Error& error) {
    std::cerr << "train_bench: " << error.what() << '\n';
    return static_cast<int>(error.exit_status());
  } catch (const std::exception& error) {
    std::cerr << "train_bench: " << error.what() << '\n';
    return 1;
  }
}
