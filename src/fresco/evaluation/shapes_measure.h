#pragma once
// The measure of a model that draws shapes: sentences that no training shows, drawn, read and counted.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fresco/evaluation/shapes_score.h"
#include "fresco/pipeline/model.h"

namespace fresco::evaluation {

struct ShapesJob {
  int64_t unseen = 500;           // sentences of combinations kept out of training
  int64_t held_out = 100;         // sentences with a shape in a colour that training never shows it in
  uint64_t seed = 1;              // of the sentences; picture k is drawn from seed + k
  int64_t portion = 16;           // pictures a request
  pipeline::DrawRequest request;  // without prompts, seed and count
};

struct MeasuredPicture {
  data::shapes::Scene scene;
  uint64_t seed = 0;
  bool held_out = false;
  image::Picture picture;
  Reading reading;
  ShapesVerdict verdict;
};

struct ShapesMeasure {
  ShapesScore unseen, held_out;
  std::vector<MeasuredPicture> pictures;
  Json settings;  // Drawing::settings without prompts and seed
};

/// before_portion(index, of) is called ahead of each request. Errors: those of Model::draw.
ShapesMeasure measure_shapes(const pipeline::Model& model, const ShapesJob& job, Observer& observer,
                             const std::function<void(int, int)>& before_portion = {});

/// Tables for a terminal.
std::string shapes_text(const ShapesMeasure& measure);

/// What a report says beside the figures.
struct ShapesConditions {
  std::string model, family, hash, date;
  double seconds = 0;
  Json machine;
};

/// docs/training.md names the keys.
Json shapes_json(const ShapesMeasure& measure, const ShapesConditions& conditions);
/// One page with every picture and what was read in it, those with mistakes first.
std::string shapes_html(const ShapesMeasure& measure, const ShapesConditions& conditions);

}  // namespace fresco::evaluation
