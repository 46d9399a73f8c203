#pragma once
// What a run needs to go on as if it had never stopped, in one file: weights, optimiser, averages, place in the data, and what was skipped.
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/json.h"
#include "fresco/training/optimizer.h"

namespace fresco::training {

/// Where a run stands. Random numbers are functions of the seed and the visit, so that no generator's state is among it.
struct RunState {
  int phase = 0;
  int64_t step = 0;         // steps of the phase that are done
  int64_t data_offset = 0;  // batches of the phase that were left out
  int64_t rollbacks = 0;    // of the phase
  double loss_mean = 0;     // running mean, for spikes
  int64_t loss_count = 0;
};
Json to_json(const RunState& state);
/// Errors: FormatError naming `where`.
RunState run_state_from(const Json& json, std::string_view where);

/// What a checkpoint says beside its vectors. layout: what the vectors' order follows from, refused at reading when it differs.
struct RunRecord {
  RunState state;
  Json recipe;
  Json configs;  // of the model, that training changed
  std::string layout;
};

/// RUN/checkpoints: files "phase-step.safetensors", of which the newest and the one before are kept.
class RunCheckpoints {
 public:
  explicit RunCheckpoints(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Whole or not at all; older ones go only afterwards. Errors: ResourceError (disk full), InputError (not writable): the ones before are
  /// still there.
  std::filesystem::path write(const RunRecord& record, const std::vector<NamedVector>& vectors) const;

  struct Opened : RunRecord {
    std::filesystem::path file;
    std::shared_ptr<const checkpoint::TensorSource> tensors;
    /// Fills the vectors. Errors: FormatError when one is missing or of another size.
    void restore(const std::vector<NamedVector>& vectors, const std::string& expected_layout) const;
    bool has(const std::string& vector) const { return tensors->find(vector) != nullptr; }
  };
  /// The newest that is whole; empty when there is none. Errors: FormatError when there are some and all are broken.
  std::optional<Opened> newest() const;

 private:
  std::vector<std::filesystem::path> files() const;  // oldest first
  std::filesystem::path folder_;
};

}  // namespace fresco::training
