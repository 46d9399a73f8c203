#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "fresco/core/names.h"

int main(int argc, char** argv) {
  CLI::App app("Draws pictures from sentences with latent diffusion models.", "fresco");
  app.set_version_flag("--version", fmt::format("fresco {}", fresco::version()));
  CLI11_PARSE(app, argc, argv);
  return 0;
}
