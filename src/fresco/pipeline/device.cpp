#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/simd/isa.h"
#include "fresco/pipeline/loaded_model.h"

namespace fresco::pipeline {
namespace {

bool has_gpu() { return at::hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0; }

at::Device torch_device(Device device) {
  if (device == Device::automatic) return has_gpu() ? at::kCUDA : at::kCPU;
  if (device == Device::cpu) return at::kCPU;
  // libtorch_cuda registers itself when it is loaded: linked (FRESCO_CUDA), or by Python's torch in the same process.
  if (!at::CUDAHooksRegistry()->Has("CUDAHooks"))
    throw ResourceError(
        "--device cuda",
        "this build runs on CPUs only; FRESCO_CUDA=1 ./fresco builds for NVIDIA GPUs (CMake: -DFRESCO_CUDA=ON)");
  if (!has_gpu())
    throw ResourceError("--device cuda", "no NVIDIA GPU found (is its driver loaded?); --device cpu works everywhere");
  return at::kCUDA;
}

[[noreturn]] void refuse(Precision precision) {
  std::vector<std::string> names;
  for (const Precision native : native_precisions()) names.emplace_back(name(native));
  throw InputError(fmt::format("--precision {}", name(precision)),
                   fmt::format("this processor has no instructions for it (with the operators asked for); it runs {}",
                               joined(names)));
}

// On a CPU values stay float32 between operators; precisions say what products multiply.
layers::Preparation on_cpu(const LoadOptions& options) {
  layers::Preparation preparation{.ops = options.ops};
  preparation.keep_half = ops::current_isa() != ops::Isa::none;
  const bool narrow = ops::current_isa() >= ops::Isa::avx512_bf16;
  switch (options.precision) {
    case Precision::automatic:
    case Precision::f32:
      return preparation;
    case Precision::fast:
      if (native_precisions().front() == Precision::int8) preparation.products = ops::Products::i8;
      return preparation;
    case Precision::bf16:
      if (options.ops == "reference") return {.type = at::kBFloat16, .ops = options.ops};
      if (!narrow) refuse(options.precision);
      preparation.products = ops::Products::bf16;
      return preparation;
    case Precision::f16:
      return {.type = at::kHalf, .ops = options.ops};
    case Precision::int8:
      if (!narrow) refuse(options.precision);
      preparation.products = ops::Products::i8;
      return preparation;
  }
  return preparation;
}

layers::Preparation on_gpu(const LoadOptions& options) {
  const auto half = options.precision == Precision::automatic || options.precision == Precision::fast ||
                    options.precision == Precision::f16;
  if (options.precision == Precision::int8)
    throw InputError("--precision int8", "not on a GPU; it runs f16, bf16 and f32");
  const auto type = half ? at::kHalf : options.precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
  return {.device = at::kCUDA, .type = type, .ops = options.ops};
}

}  // namespace

std::vector<Precision> native_precisions() {
  if (ops::current_isa() < ops::Isa::avx512_bf16) return {Precision::f32};
  // Whoever multiplies 8-bit numbers does so at twice the rate of bfloat16.
  return {Precision::int8, Precision::bf16, Precision::f32};
}

layers::Preparation preparation_for(const LoadOptions& options) {
  ops::check_form_name(options.ops);
  const ops::ScopedForm form(options.ops);
  const bool lean = options.memory == Memory::lean;
  if (torch_device(options.device).is_cuda()) {
    if (lean) throw InputError("--memory lean", "for processors only; expected --device cpu beside it, got a GPU");
    return on_gpu(options);
  }
  auto preparation = on_cpu(options);
  preparation.leave_stored = lean;
  return preparation;
}

Precision precision_of(const layers::Preparation& preparation) {
  if (preparation.products == ops::Products::bf16 || preparation.type == at::kBFloat16) return Precision::bf16;
  if (preparation.products == ops::Products::i8) return Precision::int8;
  return preparation.type == at::kHalf ? Precision::f16 : Precision::f32;
}

}  // namespace fresco::pipeline
