#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "fresco/core/error.h"
#include "fresco/core/json.h"
#include "fresco/text/tokenizer_files.h"

namespace fresco::text {
namespace {

struct File {
  Json object = Json::object();
  std::string where;
};

File read_optional(const FileSet& folder, const std::string& name) {
  File read{.where = folder.place(name)};
  if (!folder.has(name)) return read;
  read.object = folder.json(name);
  if (!read.object.is_object()) throw FormatError(read.where, expected_got("an object", read.object.type_name()));
  return read;
}

// A token is written as its text, or as an object with flags.
AddedToken read_token(const Json& value, const char* key, std::string_view where) {
  if (value.is_string()) return {.content = value.get<std::string>()};
  if (!value.is_object()) throw_json_type(key, value, where, "a string or an object");
  AddedToken token{.content = json_value<std::string>(value, "content", "", where)};
  token.special = json_value<bool>(value, "special", false, where);
  token.normalized = json_value<bool>(value, "normalized", true, where);
  token.single_word = json_value<bool>(value, "single_word", false, where);
  token.left_strip = json_value<bool>(value, "lstrip", false, where);
  token.right_strip = json_value<bool>(value, "rstrip", false, where);
  return token;
}

const AddedToken* find(const std::vector<AddedToken>& tokens, std::string_view content) {
  const auto found =
      std::find_if(tokens.begin(), tokens.end(), [&](const auto& token) { return token.content == content; });
  return found == tokens.end() ? nullptr : &*found;
}

class SettingsReader {
 public:
  SettingsReader(const FileSet& folder, TokenizerParts& parts)
      : parts_(parts),
        config_(read_optional(folder, "tokenizer_config.json")),
        map_(read_optional(folder, "special_tokens_map.json")),
        extra_(read_optional(folder, "added_tokens.json")) {}

  void read() {
    has_decoder_ = config_.object.contains("added_tokens_decoder") && !config_.object["added_tokens_decoder"].is_null();
    if (has_decoder_) read_decoder();
    const AddedToken start = role("bos_token", "<|startoftext|>");
    const AddedToken end = role("eos_token", "<|endoftext|>");
    const AddedToken unknown = role("unk_token", "<|endoftext|>");
    const AddedToken padding = role("pad_token", "<|endoftext|>");
    if (!has_decoder_) read_extra({start.content, end.content, unknown.content, padding.content});
    add_words();
    parts_.start = add_special(start, "bos_token");
    parts_.end = add_special(end, "eos_token");
    parts_.unknown = static_cast<int32_t>(add_special(unknown, "unk_token"));
    parts_.padding = add_special(padding, "pad_token");
    read_length();
  }

 private:
  // transformers 4.57: special_tokens_map.json goes before tokenizer_config.json, unless that one
  // lists its tokens with their ids.
  AddedToken role(const char* key, const char* otherwise) const {
    const bool in_map = !has_decoder_ && map_.object.contains(key) && !map_.object[key].is_null();
    const File& file = in_map ? map_ : config_;
    const auto found = file.object.find(key);
    const bool present = found != file.object.end() && !found->is_null();
    AddedToken token = present ? read_token(*found, key, file.where) : AddedToken{.content = otherwise};
    token.special = true;
    // Of the plain strings, transformers looks for the padding alone in the text as it came.
    if (present && found->is_string() && std::string_view(key) == "pad_token") token.normalized = false;
    return token;
  }

  void read_decoder() {
    const Json& decoder = config_.object["added_tokens_decoder"];
    if (!decoder.is_object()) throw_json_type("added_tokens_decoder", decoder, config_.where, "an object");
    for (const auto& [key, value] : decoder.items()) {
      AddedToken token = read_token(value, "added_tokens_decoder", config_.where);
      const auto parsed = std::from_chars(key.data(), key.data() + key.size(), token.id);
      if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size())
        throw FormatError(config_.where,
                          fmt::format("added_tokens_decoder: {}",
                                      expected_got("ids as keys", fmt::format("\"{}\"", printable(key, 40)))));
      add(token);
    }
  }

  void read_extra(const std::vector<std::string>& special) {
    for (const auto& [content, id] : extra_.object.items()) {
      if (!id.is_number_integer()) throw_json_type(printable(content, 40).c_str(), id, extra_.where, "an integer");
      const bool is_special = std::find(special.begin(), special.end(), content) != special.end();
      add({.content = content, .id = id.get<int64_t>(), .special = is_special, .normalized = !is_special});
    }
  }

  void add(const AddedToken& token) {
    if (!find(parts_.added, token.content)) parts_.added.push_back(token);
  }

  // A word that the vocabulary has keeps its id there; the others get the one that their file states.
  void add_words() {
    for (auto& token : parts_.added) {
      if (token.content.empty()) throw FormatError(config_.where, "an added token with no text");
      if (const auto known = parts_.vocabulary.id(token.content))
        token.id = *known;
      else
        parts_.vocabulary.add_word(token.content, token.id, extra_.object.empty() ? config_.where : extra_.where);
    }
  }

  int64_t add_special(AddedToken token, const char* key) {
    const auto id = parts_.vocabulary.id(token.content);
    if (!id)
      throw FormatError(config_.where,
                        fmt::format("{} \"{}\" is not in the vocabulary", key, printable(token.content, 40)));
    token.id = *id;
    add(token);
    return *id;
  }

  void read_length() {
    constexpr double kUnlimited = 1e6;  // files that state no length hold 1e30
    const double length = json_value<double>(config_.object, "model_max_length", kUnlimited, config_.where);
    if (length >= kUnlimited) return;
    if (!(length >= 2))
      throw FormatError(config_.where,
                        fmt::format("model_max_length: {}", expected_got("at least 2", fmt::format("{}", length))));
    parts_.max_length = static_cast<size_t>(length);
  }

  TokenizerParts& parts_;
  File config_, map_, extra_;
  bool has_decoder_ = false;
};

}  // namespace

void read_tokenizer_settings(const FileSet& folder, TokenizerParts& parts) { SettingsReader(folder, parts).read(); }

}  // namespace fresco::text
