#include "fresco/text/text_spec.h"

#include <fmt/format.h>

#include "fresco/core/error.h"

namespace fresco::text {
namespace {

int64_t count(const Json& config, const char* key, int64_t fallback, std::string_view place,
              int64_t largest = 1 << 20) {
  const int64_t value = json_value<int64_t>(config, key, fallback, place);
  if (value < 1 || value > largest)
    throw FormatError(place, fmt::format("\"{}\": expected 1 to {}, got {}", key, largest, value));
  return value;
}

void add_pair(std::vector<TextTensor>& list, const std::string& name, std::vector<int64_t> shape) {
  list.push_back({name + ".weight", shape});
  list.push_back({name + ".bias", {shape.front()}});
}

}  // namespace

TextSpec read_text_spec(const Json& config, std::string_view place) {
  if (!config.is_object()) throw FormatError(place, "expected a JSON object");
  TextSpec spec;
  spec.width = count(config, "hidden_size", 512, place);
  spec.feed_forward = count(config, "intermediate_size", 2048, place);
  spec.layers = count(config, "num_hidden_layers", 12, place, 1000);
  spec.heads = count(config, "num_attention_heads", 8, place);
  spec.positions = count(config, "max_position_embeddings", 77, place);
  spec.vocabulary = count(config, "vocab_size", 49408, place, 1 << 24);
  spec.eps = json_value<double>(config, "layer_norm_eps", 1e-5, place);
  const auto act = json_value<std::string>(config, "hidden_act", "quick_gelu", place);
  if (act != "quick_gelu" && act != "gelu")
    throw FormatError(place, fmt::format("\"hidden_act\": expected quick_gelu or gelu, got {}", printable(act, 40)));
  spec.quick_gelu = act == "quick_gelu";
  if (spec.width % spec.heads != 0)
    throw FormatError(place,
                      fmt::format("\"hidden_size\": expected a multiple of {} heads, got {}", spec.heads, spec.width));
  return spec;
}

std::vector<TextTensor> expected_tensors(const TextSpec& spec) {
  const int64_t c = spec.width;
  std::vector<TextTensor> list{{"text_model.embeddings.token_embedding.weight", {spec.vocabulary, c}},
                               {"text_model.embeddings.position_embedding.weight", {spec.positions, c}}};
  for (int64_t i = 0; i < spec.layers; ++i) {
    const auto at = fmt::format("text_model.encoder.layers.{}.", i);
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"})
      add_pair(list, at + "self_attn." + name, {c, c});
    add_pair(list, at + "layer_norm1", {c});
    add_pair(list, at + "layer_norm2", {c});
    add_pair(list, at + "mlp.fc1", {spec.feed_forward, c});
    add_pair(list, at + "mlp.fc2", {c, spec.feed_forward});
  }
  add_pair(list, "text_model.final_layer_norm", {c});
  return list;
}

}  // namespace fresco::text
