#include "fresco/core/json.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "fresco/core/error.h"
#include "fresco/core/files.h"

namespace fresco {
namespace {

// Walks the text once before the document is built, so that depth and duplicates are refused before memory is spent.
class Guard : public nlohmann::json_sax<Json> {
 public:
  Guard(std::string_view where, int depth_limit) : where_(where), depth_limit_(depth_limit) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(true); }
  bool start_array(std::size_t) override { return enter(false); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& key) override {
    if (!keys_.back().insert(key).second)
      throw FormatError(where_, fmt::format("key \"{}\" occurs twice", printable(key)));
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception&) override {
    throw FormatError(where_, fmt::format("not JSON at byte {}: unexpected \"{}\"", position, printable(token, 40)));
  }

 private:
  bool enter(bool) {
    if (static_cast<int>(keys_.size()) >= depth_limit_)
      throw FormatError(where_, fmt::format("JSON nested deeper than {}", depth_limit_));
    keys_.emplace_back();
    return true;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }

  std::string_view where_;
  int depth_limit_;
  std::vector<std::set<std::string>> keys_;
};

// Python writes -Infinity, Infinity and NaN as bare words, which JSON does not know. They become strings of the same text, so that
// a key that can mean something by one reads it, and any other says that it is no number.
std::string with_quoted_words(std::string_view text) {
  std::string quoted;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_string = !in_string;
    if (in_string && text[i] == '\\' && i + 1 < text.size()) quoted += text[i++];
    std::string_view word;
    for (const std::string_view candidate : {"-Infinity", "Infinity", "NaN"})
      if (!in_string && word.empty() && text.substr(i).starts_with(candidate)) word = candidate;
    if (word.empty()) {
      quoted += text[i];
      continue;
    }
    quoted.append("\"").append(word).append("\"");
    i += word.size() - 1;
  }
  return quoted;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view where, const JsonLimits& limits) {
  std::string quoted;
  if (text.find("Infinity") != text.npos || text.find("NaN") != text.npos) text = quoted = with_quoted_words(text);
  Guard guard(where, limits.depth);
  Json::sax_parse(text, &guard);
  return Json::parse(text);
}

Json read_json(const std::filesystem::path& file, const JsonLimits& limits) {
  constexpr uint64_t kLargest = 64ull << 20;
  return parse_json(read_file(file, kLargest), file.string(), limits);
}

void throw_json_type(const char* key, const Json& value, std::string_view where, std::string_view wanted) {
  std::string got = value.is_structured() ? value.type_name()
                                          : printable(value.dump(-1, ' ', false, Json::error_handler_t::replace), 60);
  throw FormatError(where, fmt::format("\"{}\": expected {}, got {}", key, wanted, got));
}

}  // namespace fresco
