#pragma once
// What a picture file says about how it was drawn: the `parameters` text for other programs, the `fresco` text for --like.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "draw_options.h"
#include "fresco/core/json.h"
#include "fresco/image/read_write.h"

namespace fresco::cli {

/// Pictures that went through the network together: rounding may depend on the company, so drawing again repeats it.
struct Company {
  std::vector<std::string> prompts;
  uint64_t seed = 0;  // of the first; the others follow
  size_t index = 0;   // this picture's place
};

struct Record {
  std::string prompt;
  uint64_t seed = 0;
  Choices choices;  // what was asked for, and what the defaults came to
  Company company;  // empty when it was drawn alone
  std::string version;
  std::string model;  // its name, also when it is the default
  std::string model_hash;
  std::string init_sha256, mask_sha256;
  bool exact = true;  // false: read from another program's text
};

/// Fills in the defaults as the library resolved them, so that the same picture comes out when defaults change.
void take_resolved(Choices& choices, const Json& settings);

/// `settings`: Drawing::settings, for the text that people read.
std::vector<image::Text> record_texts(const Record& record, const Json& settings);

/// Errors: InputError when there is no such file or it says nothing, FormatError when its text is broken.
Record read_record(const std::filesystem::path& picture);

}  // namespace fresco::cli
