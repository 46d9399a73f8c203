#include "fresco/checkpoint/part_names.h"

#include <array>

#include "fresco/checkpoint/views.h"

namespace fresco::checkpoint {
namespace {

struct Respelling {
  std::string_view from, to;
};

// diffusers renamed these in 0.17; files from before keep the old words.
constexpr std::array<Respelling, 4> kVaeAttention{{
    {".query.", ".to_q."},
    {".key.", ".to_k."},
    {".value.", ".to_v."},
    {".proj_attn.", ".to_out.0."},
}};

std::string vae_name(const std::string& name) {
  if (name.find(".attentions.") == std::string::npos) return name;
  for (const auto& [from, to] : kVaeAttention) {
    if (const size_t at = name.find(from); at != std::string::npos)
      return std::string(name).replace(at, from.size(), to);
  }
  return name;
}

// A 1x1 convolution's weight is a matrix; older files keep it in four dimensions.
std::optional<Shape> vae_shape(const TensorInfo& info) {
  const Shape& shape = info.shape;
  const bool pointwise =
      info.name.find(".attentions.") != std::string::npos && shape.size() == 4 && shape[2] == 1 && shape[3] == 1;
  return pointwise ? std::optional(Shape{shape[0], shape[1]}) : std::nullopt;
}

constexpr std::array<std::string_view, 3> kTextRoots{"embeddings.", "encoder.", "final_layer_norm."};

std::string text_name(const std::string& name) {
  for (const auto root : kTextRoots) {
    if (name.starts_with(root)) return "text_model." + name;
  }
  return name;
}

bool is_text_weight(const std::string& name) {
  return name.starts_with("text_model.") && !name.ends_with(".position_ids");
}

}  // namespace

std::shared_ptr<const TensorSource> normalise_vae(std::shared_ptr<const TensorSource> source) {
  std::vector<Renaming> renamings;
  for (const auto& info : source->tensors()) renamings.push_back({info.name, vae_name(info.name), vae_shape(info)});
  return rename(std::move(source), std::move(renamings));
}

std::shared_ptr<const TensorSource> normalise_text(std::shared_ptr<const TensorSource> source) {
  std::vector<Renaming> renamings;
  for (const auto& info : source->tensors()) {
    if (auto name = text_name(info.name); is_text_weight(name))
      renamings.push_back({info.name, std::move(name), std::nullopt});
  }
  return rename(std::move(source), std::move(renamings));
}

}  // namespace fresco::checkpoint
