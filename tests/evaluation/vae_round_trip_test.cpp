// The reader against the pictures that a model can draw at best: true ones that went through its autoencoder.
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "fresco/checkpoint/model_files.h"
#include "fresco/evaluation/shapes_score.h"
#include "fresco/image/planes.h"
#include "fresco/vae/vae.h"

namespace fresco::evaluation {
namespace {

image::Picture through(const vae::Vae& vae, const image::Picture& picture) {
  const c10::InferenceMode guard;
  const auto planes = image::to_planes(picture);
  const at::Tensor in = at::tensor(planes).view({1, 3, picture.height, picture.width}) * 2 - 1;
  const at::Tensor mean = vae.encode(in).chunk(2, 1)[0];
  const at::Tensor out = (vae.decode(mean) / 2 + 0.5).clamp(0, 1).contiguous();
  return image::from_planes(out.data_ptr<float>(), 3, picture.height, picture.width);
}

TEST(ShapesReader, ReadsWhatAnAutoencoderLeaves) {
  const auto files =
      checkpoint::open_model({.model = std::string(FRESCO_SOURCE_DIR) + "/models/starter-128"}, no_observer());
  const vae::Vae vae(vae::read_vae_spec(files.vae.config, "vae"), layers::CheckpointWeights(files.vae.tensors, {}), {});
  ShapesScore score;
  for (uint64_t i = 0; i < 90; ++i) {
    const auto scene = data::shapes::scene(21, i, static_cast<data::shapes::Split>(i % 3));
    const Reading reading = read_shapes(through(vae, data::shapes::draw_scene(scene)));
    const ShapesVerdict verdict = judge(scene, reading);
    if (!verdict.all()) RecordProperty("misread " + scene.caption, text_of(reading));
    score.add(scene, verdict);
  }
  EXPECT_EQ(score.backgrounds.per_cent(), 100);
  EXPECT_GE(score.colours.per_cent(), 98);
  EXPECT_GE(score.relations.per_cent(), 98);
  EXPECT_GE(score.shapes.per_cent(), 98);
}

}  // namespace
}  // namespace fresco::evaluation
