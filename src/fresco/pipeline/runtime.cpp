#include "fresco/pipeline/runtime.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/headeronly/version.h>

#include <string_view>

namespace fresco::pipeline {
namespace {

// libtorch tells its version nowhere but in the text of its settings: "..., TORCH_VERSION=2.11.0, ...".
std::string loaded_version() {
  constexpr std::string_view kKey = "TORCH_VERSION=";
  const std::string settings = at::show_config();
  const size_t at = settings.find(kKey);
  if (at == std::string::npos) return TORCH_VERSION;
  const size_t first = at + kKey.size();
  return settings.substr(first, settings.find_first_of(", \n", first) - first);
}

int gpu_count() { return at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0; }

std::string reason(int gpus) {
  if (gpus > 0) return {};
#ifdef FRESCO_CUDA
  return "no NVIDIA GPU found (is its driver loaded?)";
#else
  return "this build runs on CPUs only";
#endif
}

}  // namespace

Runtime runtime() {
  const int gpus = gpu_count();
  return {loaded_version(), TORCH_VERSION, gpus, reason(gpus)};
}

}  // namespace fresco::pipeline
