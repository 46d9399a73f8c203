#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/core/memory.h"
#include "fresco/layers/packed_source.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/resolve.h"

namespace fresco::pipeline {
namespace {

constexpr uint64_t kProgramBytes = 300ull << 20;  // libtorch itself
constexpr int64_t kTileSide = 512;                // pixels: larger pictures can be decoded in tiles

double gigabytes(uint64_t bytes) { return static_cast<double>(bytes) / 1e9; }

uint64_t weight_memory(const checkpoint::ModelFiles& files, const layers::Preparation& preparation) {
  const auto packed = checkpoint::packed_file(files.unet);
  if (packed && layers::fits(*packed, preparation)) return preparation.leave_stored ? 0 : stored_bytes(files);
  const auto element = static_cast<uint64_t>(c10::elementSize(preparation.type));
  return kept_bytes(files, {element, preparation.keep_half, preparation.leave_stored && !packed});
}

}  // namespace

void require_memory(const checkpoint::ModelFiles& files, const ModelSpecs& specs,
                    const layers::Preparation& preparation, int64_t width, int64_t height) {
  if (!preparation.device.is_cpu()) return;
  const auto element = static_cast<uint64_t>(c10::elementSize(preparation.type));
  const uint64_t weights = weight_memory(files, preparation);
  const uint64_t denoising = activation_bytes(specs, 1, width, height, element).denoising;
  const uint64_t tile =
      activation_bytes(specs, 1, std::min(width, kTileSide), std::min(height, kTileSide), element).picture;
  const uint64_t work = std::max(denoising, tile) + kProgramBytes;
  const uint64_t free = available_memory_bytes();
  if (weights + work <= free) return;
  throw ResourceError(files.given, fmt::format("not enough memory for {}x{}: expected {:.1f} GB ({:.1f} for weights, "
                                               "{:.1f} to draw with), got {:.1f} GB free",
                                               width, height, gigabytes(weights + work), gigabytes(weights),
                                               gigabytes(work), gigabytes(free)));
}

void check_memory(const checkpoint::ModelFiles& files, const DrawRequest& request, const LoadOptions& options) {
  const ModelSpecs specs = read_specs(files);
  const Resolved resolved = resolve(specs, files, request);
  require_memory(files, specs, preparation_for(options, files), resolved.width, resolved.height);
}

}  // namespace fresco::pipeline
