#include "fresco/image/parameters.h"

#include <nlohmann/json.hpp>

namespace fresco::image {
namespace {

using Json = nlohmann::json;
using Settings = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kNegative = "Negative prompt:";
constexpr size_t kFewestPairs = 3;

// What Python's str.strip() and \s take away, as far as ASCII goes.
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f'); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// A letter, digit or underscore; letters beyond ASCII count by their UTF-8 bytes.
bool starts_key(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}
bool continues_key(char c) { return starts_key(c) || c == ' ' || c == '-' || c == '/'; }

std::string quoted(const std::string& value) {
  const bool bare = value.find_first_of(",:\n\r") == std::string::npos && !value.starts_with('"');
  return bare ? value : Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string unquoted(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    const Json text = Json::parse(value, nullptr, /*allow_exceptions=*/false);
    if (text.is_string()) return text.get<std::string>();
  }
  return std::string(value);
}

// The end of the quoted string that begins at text[at]; `at` when it is not one up to a comma or
// the end of the line.
size_t quoted_end(std::string_view text, size_t at) {
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      const bool closed = i > at + 1 && (i + 1 == text.size() || text[i + 1] == ',');
      return closed ? i + 1 : at;
    }
  }
  return at;
}

// Pairs wherever they stand in the line; what lies between them is skipped.
Settings parse_settings(std::string_view line) {
  Settings settings;
  size_t at = 0;
  while (at < line.size()) {
    if (!starts_key(line[at])) {
      ++at;
      continue;
    }
    size_t colon = at;
    while (colon < line.size() && continues_key(line[colon])) ++colon;
    if (colon == line.size() || line[colon] != ':' || colon - at < 2) {  // a key has two characters at least
      at = colon + 1;
      continue;
    }
    size_t value = colon + 1;
    while (value < line.size() && is_blank(line[value])) ++value;
    size_t end = value < line.size() && line[value] == '"' ? quoted_end(line, value) : value;
    if (end == value) end = std::min(line.find(',', value), line.size());
    settings.emplace_back(trimmed(line.substr(at, colon - at)), unquoted(trimmed(line.substr(value, end - value))));
    at = end + 1;
  }
  return settings;
}

void append_line(std::string& text, bool& begun, std::string_view line) {
  if (begun) text += '\n';
  text += line;
  begun = true;
}

void parse_prompts(std::string_view text, Parameters& parameters) {
  bool in_negative = false, prompt_begun = false, negative_begun = false;
  while (true) {
    const size_t end = text.find('\n');
    std::string_view line = trimmed(text.substr(0, end));
    if (line.starts_with(kNegative)) {
      in_negative = true;
      line = trimmed(line.substr(kNegative.size()));
    }
    if (in_negative)
      append_line(parameters.negative, negative_begun, line);
    else
      append_line(parameters.prompt, prompt_begun, line);
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<std::string> Parameters::find(std::string_view key) const {
  for (const auto& [name, value] : settings) {
    if (name == key) return value;
  }
  return std::nullopt;
}

std::string format_parameters(const Parameters& parameters) {
  std::string text = parameters.prompt;
  if (!parameters.negative.empty()) text += "\nNegative prompt: " + parameters.negative;
  if (!parameters.settings.empty()) text += '\n';
  bool first = true;
  for (const auto& [key, value] : parameters.settings) {
    text += (first ? "" : ", ") + key + ": " + quoted(value);
    first = false;
  }
  return text;
}

Parameters parse_parameters(std::string_view text) {
  text = trimmed(text);
  Parameters parameters;
  const size_t line_break = text.rfind('\n');
  const size_t last = line_break == std::string_view::npos ? 0 : line_break + 1;
  parameters.settings = parse_settings(text.substr(last));
  if (parameters.settings.size() < kFewestPairs) {
    parameters.settings.clear();
  } else {
    text = last == 0 ? std::string_view{} : text.substr(0, line_break);
  }
  parse_prompts(text, parameters);
  return parameters;
}

}  // namespace fresco::image
