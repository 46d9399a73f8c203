#pragma once
#include <string_view>
#include <vector>

namespace fresco::text {

/// CLIP's words (Radford et al. 2021), in order: one of 's 't 're 've 'm 'll 'd, a run of letters,
/// one number character, or a run of anything else that is not white space. `text` is valid UTF-8;
/// the views point into it.
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace fresco::text
