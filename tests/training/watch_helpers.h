#pragma once
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fresco/training/observer.h"

namespace fresco::training {

/// A folder of its own for each test, gone afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fresco-run-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path path;
};

inline std::string content(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline RunFacts two_phases() {
  return {.name = "small",
          .recipe = "name: small\n",
          .seed = 7,
          .device = "cpu",
          .threads = 2,
          .processes = 1,
          .flops = 1e11,
          .phases = {{.name = "first", .steps = 100, .batch = 4, .resolution = 64},
                     {.name = "fine tune", .steps = 40, .batch = 8, .resolution = 128}}};
}

inline StepRecord step_at(int phase, int64_t step, double loss) {
  return {.place = {phase, step},
          .loss = loss,
          .gradient_norm = 2 * loss,
          .learning_rate = 1e-3,
          .images = 4,
          .seconds = 0.5,
          .wait_seconds = 0.01,
          .flops = 2e10,
          .memory_bytes = 1000 + static_cast<uint64_t>(step)};
}

}  // namespace fresco::training
