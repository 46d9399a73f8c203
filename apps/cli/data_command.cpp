#include <fmt/format.h>

#include <array>

#include "commands.h"
#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "output.h"

namespace fresco::cli {
namespace {

struct Subcommand {
  std::string_view name;
  std::string_view summary;
  void (*run)(const Arguments&);
};

constexpr std::array<Subcommand, 2> kSubcommands = {
    {{"prepare", "Store pictures as latents and captions as tokens, to train on", data_prepare_command},
     {"shapes", "Draw pictures of shapes with captions, to train on", data_shapes_command}}};

std::string overview() {
  std::string text = "Makes and prepares what models are trained on.\n\nUsage: fresco data COMMAND ...\n\nCommands:\n";
  for (const Subcommand& each : kSubcommands) text += fmt::format("  {:<10}  {}\n", each.name, each.summary);
  return text + "\n`fresco data COMMAND --help` shows a command's options.\n";
}

}  // namespace

void data_command(const Arguments& arguments) {
  const std::string word = arguments.empty() ? "--help" : arguments.front();
  if (word == "--help" || word == "-h") return write_out(overview());
  for (const Subcommand& each : kSubcommands) {
    if (each.name == word) return each.run({arguments.begin() + 1, arguments.end()});
  }
  std::vector<std::string> known;
  for (const Subcommand& each : kSubcommands) known.emplace_back(each.name);
  throw InputError(fmt::format("fresco data {}", printable(word, 60)), "unknown command; known: " + joined(known));
}

}  // namespace fresco::cli
