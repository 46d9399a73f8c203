// Draws a sentence: draw MODEL PROMPT PICTURE.png [STEPS]
#include <fresco/fresco.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) try {
  if (argc < 4) throw fresco::InputError("draw", "expected MODEL PROMPT PICTURE.png [STEPS]");

  const auto model = fresco::Model::load({.files = {.model = argv[1]}});
  fresco::DrawRequest request{.prompts = {argv[2]}, .seed = 1};
  if (argc > 4) request.steps = std::atoi(argv[4]);
  const auto drawing = model.draw(request);
  fresco::write_picture(argv[3], drawing.pictures[0].picture, {}, /*overwrite=*/true);
  for (const auto& stage : drawing.stages) std::printf("%-12s %7.3f s\n", stage.name.c_str(), stage.seconds);
} catch (const fresco::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.exit_status());
}
