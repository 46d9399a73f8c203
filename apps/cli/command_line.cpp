#include "command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <memory>

#include "fresco/core/error.h"
#include "output.h"
#include "prompts.h"

namespace fresco::cli {
namespace {

class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string operands) : operands_(std::move(operands)) { column_width(34); }
  std::string make_usage(const CLI::App* app, std::string) const override {
    return fmt::format("Usage: {} [OPTIONS] {}\n", app->get_name(), operands_);
  }
  std::string make_group(std::string group, bool positional, std::vector<const CLI::Option*> options) const override {
    const std::string text = CLI::Formatter::make_group(std::move(group), positional, std::move(options));
    return text.substr(0, text.find_last_not_of('\n') + 1) + "\n";
  }

 private:
  std::string operands_;
};

std::string in_quotes(const std::string& text) { return '"' + printable(text, 60) + '"'; }

// from_chars, unlike the stream operators, takes no blanks, no locale and no plus sign.
template <typename T>
std::errc convert(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc()) return error;
  return stopped == end && !text.empty() ? std::errc() : std::errc::invalid_argument;
}

[[noreturn]] void throw_unknown(const CLI::App& app, const std::string& argument) {
  const std::string option = argument.substr(0, argument.find('='));
  std::vector<std::string> known;
  for (const CLI::Option* each : app.get_options()) {
    for (const std::string& name : each->get_lnames()) known.push_back("--" + name);
  }
  const std::string near = nearest_name(option, known.data(), known.size());
  const std::string advice = near.empty() ? app.get_name() + " --help lists those known" : "did you mean " + near + "?";
  throw InputError(printable(option, 60), "unknown option; " + advice);
}

// "--steps: 1 required N missing" and its like: the option's name, then what CLI11 says of it.
[[noreturn]] void throw_in_our_words(const CLI::App& app, const CLI::ParseError& error) {
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  const std::string option = text.substr(0, text.find(':'));
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
    throw InputError(option, "expected a value, got none");
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    throw InputError(app.get_name(),
                     fmt::format("{} is missing; {} --help shows how", text.substr(0, text.find(' ')), app.get_name()));
  }
  throw InputError(app.get_name(), text);
}

}  // namespace

bool parse(CLI::App& app, const Arguments& arguments, Operands& operands) {
  app.formatter(std::make_shared<HelpFormatter>(operands.usage));
  app.set_help_flag("-h,--help", "Show this text")->group("Other");
  // Operands are told apart here: CLI11's positionals take a prompt such as "[red, blue]" to pieces.
  app.allow_extras();
  const auto divider = std::find(arguments.begin(), arguments.end(), "--");
  try {
    // CLI11 takes them last first.
    app.parse(Arguments(std::make_reverse_iterator(divider), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    write_out(app.help());
    return false;
  } catch (const CLI::ParseError& error) {
    throw_in_our_words(app, error);
  }
  for (const std::string& argument : app.remaining()) {
    if (argument.size() > 1 && argument.front() == '-') throw_unknown(app, argument);
    operands.found.push_back(argument);
  }
  if (divider != arguments.end()) operands.found.insert(operands.found.end(), divider + 1, arguments.end());
  if (operands.found.size() > operands.most) {
    throw InputError(app.get_name(),
                     fmt::format("expected {}, got {}", operands.usage.empty() ? "options only" : operands.usage,
                                 in_quotes(operands.found[operands.most])));
  }
  return true;
}

int64_t parse_integer(const std::string& where, const std::string& text, int64_t least, int64_t most) {
  int64_t value = 0;
  if (convert(text, value) != std::errc() || value < least || value > most) {
    const std::string wanted = most == std::numeric_limits<int>::max()
                                   ? fmt::format("an integer from {}", least)
                                   : fmt::format("an integer from {} to {}", least, most);
    throw InputError(where, expected_got(wanted, in_quotes(text)));
  }
  return value;
}

double parse_real(const std::string& where, const std::string& text) {
  double value = 0;
  if (convert(text, value) != std::errc() || !std::isfinite(value))
    throw InputError(where, expected_got("a finite number", in_quotes(text)));
  return value;
}

std::optional<uint64_t> parse_seed(const std::string& where, const std::string& text) {
  int64_t negative = 0;
  if (convert(text, negative) == std::errc() && negative < 0) return std::nullopt;
  uint64_t value = 0;
  if (convert(text, value) != std::errc()) {
    throw InputError(
        where, expected_got("an integer from 0 to 18446744073709551615, or -1 for a random one", in_quotes(text)));
  }
  return value;
}

CLI::Option* add_integer(CLI::App& app, const std::string& name, std::optional<int64_t>& value, int64_t least,
                         int64_t most, const std::string& help) {
  const auto take = [name, least, most, &value](const std::string& text) {
    value = parse_integer(name, text, least, most);
  };
  return app.add_option_function<std::string>(name, take, help)->type_name("N")->take_last();
}

CLI::Option* add_integer(CLI::App& app, const std::string& name, std::optional<int>& value, int least, int most,
                         const std::string& help) {
  const auto take = [name, least, most, &value](const std::string& text) {
    value = static_cast<int>(parse_integer(name, text, least, most));
  };
  return app.add_option_function<std::string>(name, take, help)->type_name("N")->take_last();
}

CLI::Option* add_real(CLI::App& app, const std::string& name, std::optional<double>& value, const std::string& help) {
  const auto take = [name, &value](const std::string& text) { value = parse_real(name, text); };
  return app.add_option_function<std::string>(name, take, help)->type_name("X")->take_last();
}

CLI::Option* add_text(CLI::App& app, const std::string& name, std::optional<std::string>& value,
                      const std::string& kind, const std::string& help) {
  const auto take = [name, &value](const std::string& text) {
    if (!is_utf8(text) && !std::filesystem::exists(text))
      throw InputError(name, "expected text in UTF-8, got other bytes");
    value = text;
  };
  return app.add_option_function<std::string>(name, take, help)->type_name(kind)->take_last();
}

}  // namespace fresco::cli
