// Starts from a picture, or repaints the white part of a mask: image_to_image MODEL PROMPT IN OUT.png [STRENGTH] [MASK]
#include <fresco/fresco.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) try {
  if (argc < 5) throw fresco::InputError("image_to_image", "expected MODEL PROMPT IN OUT.png [STRENGTH] [MASK]");

  const auto model = fresco::Model::load({.files = {.model = argv[1]}});
  fresco::DrawRequest request{.prompts = {argv[2]}, .seed = 1};
  request.init = fresco::read_picture(argv[3]);
  // Width and height of the picture; one with a mask is otherwise drawn at the model's own size.
  request.width = request.init->width;
  request.height = request.init->height;
  if (argc > 5) request.strength = std::atof(argv[5]);
  if (argc > 6) request.mask = fresco::read_picture(argv[6]);

  const auto drawing = model.draw(request);
  fresco::write_picture(argv[4], drawing.pictures[0].picture, {}, /*overwrite=*/true);
  std::printf("%s\n", drawing.settings.dump(2).c_str());
} catch (const fresco::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.exit_status());
}
