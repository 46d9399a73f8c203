// Draws with the model that lies beside an installed fresco: stranger MODEL PICTURE.png
#include <fresco/fresco.h>

#include <cstdio>

int main(int, char** argv) try {
  const auto model = fresco::Model::load({.files = {.model = argv[1]}});
  const auto drawing = model.draw({.prompts = {"a red circle"}, .steps = 2, .seed = 1});
  fresco::write_picture(argv[2], drawing.pictures[0].picture);
  std::printf("%s drew %zu picture\n", std::string(fresco::version()).c_str(), drawing.pictures.size());
} catch (const fresco::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.exit_status());
}
