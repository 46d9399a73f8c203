#include "fresco/evaluation/shapes_measure.h"

#include <algorithm>

namespace fresco::evaluation {
namespace {

using data::shapes::Split;

std::vector<MeasuredPicture> pictures_to_draw(const ShapesJob& job) {
  std::vector<MeasuredPicture> pictures;
  for (const auto& [split, count] : {std::pair{Split::unseen, job.unseen}, {Split::held_out, job.held_out}}) {
    for (auto& scene : unseen_scenes(split, count, job.seed)) {
      const uint64_t seed = job.seed + pictures.size();
      pictures.push_back({.scene = std::move(scene),
                          .seed = seed,
                          .held_out = split == Split::held_out,
                          .picture = {},
                          .reading = {},
                          .verdict = {}});
    }
  }
  return pictures;
}

void draw(const pipeline::Model& model, pipeline::DrawRequest request, std::span<MeasuredPicture> pictures,
          Json& settings, Observer& observer) {
  request.prompts.clear();
  for (const MeasuredPicture& each : pictures) request.prompts.push_back(each.scene.caption);
  request.seed = pictures.front().seed;
  request.count = 1;
  pipeline::Drawing drawing = model.draw(request, observer);
  for (size_t k = 0; k < pictures.size(); ++k) {
    pictures[k].picture = std::move(drawing.pictures.at(k).picture);
    pictures[k].reading = read_shapes(pictures[k].picture);
    pictures[k].verdict = judge(pictures[k].scene, pictures[k].reading);
  }
  settings = std::move(drawing.settings);
  settings.erase("prompts");
  settings.erase("seed");
}

}  // namespace

ShapesMeasure measure_shapes(const pipeline::Model& model, const ShapesJob& job, Observer& observer,
                             const std::function<void(int, int)>& before_portion) {
  ShapesMeasure measure;
  measure.pictures = pictures_to_draw(job);
  const auto portion = static_cast<size_t>(std::max<int64_t>(job.portion, 1));
  const size_t portions = (measure.pictures.size() + portion - 1) / portion;
  for (size_t k = 0; k < portions; ++k) {
    if (before_portion) before_portion(static_cast<int>(k), static_cast<int>(portions));
    const auto rest = std::span(measure.pictures).subspan(k * portion);
    draw(model, job.request, rest.first(std::min(portion, rest.size())), measure.settings, observer);
  }
  for (const MeasuredPicture& each : measure.pictures)
    (each.held_out ? measure.held_out : measure.unseen).add(each.scene, each.verdict);
  return measure;
}

}  // namespace fresco::evaluation
