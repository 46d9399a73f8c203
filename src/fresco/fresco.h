#pragma once
// Everything a program needs to draw: load a Model, fill a DrawRequest, get pictures and timings.
//
//   auto model = fresco::Model::load({.files = {.model = "models/starter-128"}});
//   fresco::DrawRequest request{.prompts = {"a large blue star on a yellow background"}};
//   auto drawing = model.draw(request);
//   fresco::write_picture("star.png", drawing.pictures[0].picture);
#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/core/observer.h"
#include "fresco/image/read_write.h"
#include "fresco/pipeline/draw_request.h"
#include "fresco/pipeline/model.h"
#include "fresco/sampling/sampler.h"

namespace fresco {

using image::Picture;
using image::read_picture;
using image::write_picture;
using pipeline::Drawing;
using pipeline::DrawRequest;
using pipeline::LoadOptions;
using pipeline::Model;

}  // namespace fresco
