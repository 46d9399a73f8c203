#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include "fresco/core/error.h"
#include "fresco/ops/dispatch.h"
#include "fresco/pipeline/loaded_model.h"

namespace fresco::pipeline {
namespace {

bool has_gpu() { return at::hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0; }

at::Device torch_device(Device device) {
  if (device == Device::automatic) return has_gpu() ? at::kCUDA : at::kCPU;
  if (device == Device::cpu) return at::kCPU;
#ifndef FRESCO_CUDA
  throw ResourceError(
      "--device cuda",
      "this build runs on CPUs only; FRESCO_CUDA=1 ./fresco builds for NVIDIA GPUs (CMake: -DFRESCO_CUDA=ON)");
#endif
  if (!has_gpu())
    throw ResourceError("--device cuda", "no NVIDIA GPU found (is its driver loaded?); --device cpu works everywhere");
  return at::kCUDA;
}

at::ScalarType element_type(Precision precision, const at::Device& device) {
  switch (precision) {
    case Precision::f32:
      return at::kFloat;
    case Precision::bf16:
      return at::kBFloat16;
    case Precision::f16:
      return at::kHalf;
    case Precision::automatic:
      break;
  }
  return device.is_cuda() ? at::kHalf : at::kFloat;
}

}  // namespace

layers::Preparation preparation_for(const LoadOptions& options) {
  ops::check_form_name(options.ops);
  const at::Device device = torch_device(options.device);
  return {.device = device, .type = element_type(options.precision, device), .ops = options.ops};
}

}  // namespace fresco::pipeline
