#pragma once
// A CLIP text encoder as data. Free of libtorch.
#include "fresco/core/json.h"

namespace fresco::text {

struct TextSpec {
  int64_t width = 768;  // hidden_size
  int64_t feed_forward = 3072;
  int64_t layers = 12;
  int64_t heads = 12;
  int64_t positions = 77;
  int64_t vocabulary = 49408;
  double eps = 1e-5;
  bool quick_gelu = true;  // x * sigmoid(1.702 x); else gelu with the error function
};

/// Reads transformers' CLIPTextModel config.json. Errors: FormatError naming `place` and the key.
TextSpec read_text_spec(const Json& config, std::string_view place);

struct TextTensor {
  std::string name;
  std::vector<int64_t> shape;
};
std::vector<TextTensor> expected_tensors(const TextSpec& spec);

}  // namespace fresco::text
