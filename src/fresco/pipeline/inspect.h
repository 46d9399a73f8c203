#pragma once
// What a model is made of, told from its configs and tensor headers alone. Free of libtorch.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fresco/checkpoint/model_files.h"
#include "fresco/core/json.h"

namespace fresco::pipeline {

/// A tensor whose shape is not what the config asks for.
struct WrongShape {
  std::string name;
  checkpoint::Shape expected, got;
};

struct PartReport {
  std::string name;                              // "unet", "vae", "text_encoder"
  std::string place;                             // file or folder of its tensors
  int64_t parameters = 0;                        // of the tensors that the network has
  std::map<std::string, int64_t> element_types;  // "F16" -> parameters of that type
  std::vector<std::string> missing, extra;
  std::vector<WrongShape> wrong;
  bool whole() const { return missing.empty() && wrong.empty(); }
};

/// Bytes to draw one picture of the model's own size on a CPU.
struct MemoryNeed {
  int64_t weights_f32 = 0;
  int64_t weights_half = 0;
  int64_t drawing = 0;  // beside the weights: what a guided U-Net call or the decoder holds, whichever is more
};

struct Inspection {
  checkpoint::Family family = checkpoint::Family::stable_diffusion;
  std::string given;
  std::string root;
  std::vector<PartReport> parts;
  std::string tokenizer;          // its folder; empty: the built-in vocabulary
  std::string scheduler;          // class name in the file; empty when it has none
  std::string prediction;         // "epsilon", "v_prediction", ...
  int64_t width = 0, height = 0;  // of the pictures it was trained for
  MemoryNeed memory;
  std::vector<std::string> unused;  // tensors of a single file that belong to no part
  /// Of a packed file: what for, by which program, from what.
  struct Packed {
    std::string isa, products, program, source;
  };
  std::optional<Packed> packed;
  bool whole() const;
  int64_t parameters() const;
};

/// Errors: FormatError for configs that describe no network fresco runs.
Inspection inspect(const checkpoint::ModelFiles& files);

/// Errors: FormatError naming the first tensor that is missing or of the wrong shape, and how many more there are.
void check_whole(const Inspection& inspection);

Json to_json(const Inspection& inspection);

}  // namespace fresco::pipeline
