#pragma once
// Where things lie in the folder of a training run; docs/formats.md describes them.
#include <filesystem>
#include <string>
#include <string_view>

#include "fresco/training/observer.h"

namespace fresco::training {

struct RunFolder {
  std::filesystem::path root;

  std::filesystem::path recipe() const { return root / "recipe.json"; }
  std::filesystem::path log() const { return root / "log.jsonl"; }
  std::filesystem::path checkpoints() const { return root / "checkpoints"; }
  std::filesystem::path samples() const { return root / "samples"; }
  std::filesystem::path model() const { return root / "model"; }
  std::filesystem::path report() const { return root / "report.html"; }
};

/// "samples/2-fine-tune-0012000.png", relative to the run's folder: the phase counted from 1, its name without what file systems dislike, the
/// step in seven digits at least, so that a listing shows them in their order.
std::string sample_path(const Place& place, std::string_view phase_name);

}  // namespace fresco::training
