#include <fmt/format.h>

#include <algorithm>

#include "commands.h"
#include "fresco/core/json.h"
#include "fresco/sampling/sampler.h"
#include "output.h"

namespace fresco::cli {

void samplers_command(const Arguments& arguments) {
  CLI::App app("Lists the samplers, a line each.", "fresco samplers");
  bool json = false;
  app.add_flag("--json", json, "As JSON, an object a line");
  Operands none;
  if (!parse(app, arguments, none)) return;

  size_t width = 0;
  for (const sampling::SamplerInfo& sampler : sampling::samplers()) width = std::max(width, sampler.name.size());
  std::string text;
  for (const sampling::SamplerInfo& sampler : sampling::samplers()) {
    if (json) {
      text += Json{{"name", sampler.name}, {"class", sampler.class_name}, {"description", sampler.description}}.dump() +
              "\n";
    } else {
      text += fmt::format("{:<{}}  {}\n", sampler.name, width, sampler.description);
    }
  }
  write_out(text);
}

}  // namespace fresco::cli
