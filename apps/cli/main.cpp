#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <new>

#include "commands.h"
#include "fresco/core/error.h"
#include "fresco/core/json.h"
#include "fresco/core/names.h"
#include "interrupt.h"
#include "output.h"
#include "version_text.h"

namespace fresco::cli {
namespace {

struct Command {
  std::string_view name;
  std::string_view summary;  // empty: not for people
  void (*run)(const Arguments&);
};

constexpr std::array<Command, 10> kCommands = {
    {{"draw", "Draw pictures from sentences", draw_command},
     {"calibrate", "Measure which parts of a model bear 8-bit products", calibrate_command},
     {"compare", "Draw with two models and compare time, memory, cost and pictures", compare_command},
     {"data", "Make what models are trained on", data_command},
     {"evaluate", "Measure what a model draws", evaluate_command},
     {"inspect", "Tell what a model is made of and whether it is whole", inspect_command},
     {"pack", "Write a model into one file that is ready at once", pack_command},
     {"samplers", "List the samplers", samplers_command},
     {"train", "Train a model by a recipe", train_command},
     {"measure-one", "", measure_command}}};

std::string overview() {
  std::string text =
      "fresco draws pictures from sentences with latent diffusion models.\n\nUsage: fresco COMMAND ...\n\nCommands:\n";
  for (const Command& command : kCommands) {
    if (!command.summary.empty()) text += fmt::format("  {:<10}  {}\n", command.name, command.summary);
  }
  return text + R"(
Options:
  --help      Show this text; `fresco COMMAND --help` shows a command's options
  --version   Show versions, instruction sets and devices

Start with:
  fresco draw "a large blue star on a yellow background"
)";
}

[[noreturn]] void throw_unknown_command(const std::string& word) {
  std::vector<std::string> known;
  known.reserve(kCommands.size());
  for (const Command& command : kCommands) {
    if (!command.summary.empty()) known.emplace_back(command.name);
  }
  const std::string near = nearest_name(word, known.data(), known.size());
  const std::string advice = near.empty() ? "known: " + joined(known) : "did you mean " + near + "?";
  throw InputError(fmt::format("fresco {}", printable(word, 60)), "unknown command; " + advice);
}

void dispatch(const Arguments& arguments) {
  const std::string word = arguments.empty() ? "--help" : arguments.front();
  if (word == "--help" || word == "-h" || word == "help") return write_out(overview());
  if (word == "--version") return write_out(version_text());
  for (const Command& command : kCommands) {
    if (command.name == word) return command.run({arguments.begin() + 1, arguments.end()});
  }
  throw_unknown_command(word);
}

/// Library errors that are no fresco::Error bring a stack trace along; people get its first line.
std::string first_line(std::string_view text) { return printable(text.substr(0, text.find('\n')), 300); }

int fail(const Arguments& arguments, ExitStatus status, const std::string& line) {
  if (std::find(arguments.begin(), arguments.end(), "--json") != arguments.end()) {
    const Json event = {{"event", "error"}, {"text", line}, {"status", static_cast<int>(status)}};
    try {
      write_out(event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    } catch (const std::exception&) {
      // Standard output is what failed; the line below tells.
    }
  }
  write_error_line(line);
  return static_cast<int>(status);
}

int run(const Arguments& arguments) {
  try {
    dispatch(arguments);
    return static_cast<int>(ExitStatus::success);
  } catch (const Error& error) {
    return fail(arguments, error.exit_status(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(arguments, ExitStatus::resource,
                "memory: not enough; a smaller size, --batch 1 or --precision bf16 needs less");
  } catch (const std::exception& error) {
    // libtorch reports memory that it could not get in words.
    const std::string_view text = error.what();
    const bool memory = text.find("out of memory") != text.npos || text.find("can't allocate memory") != text.npos;
    return fail(arguments, ExitStatus::resource, (memory ? "memory: " : "internal error: ") + first_line(text));
  }
}

}  // namespace
}  // namespace fresco::cli

int main(int argc, char** argv) {
  fresco::cli::install_signal_handlers();
  return fresco::cli::run({argv + std::min(argc, 1), argv + argc});
}
