#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace fresco::cli {

/// Eight sentences to compare models with. `text_width`: of the wider of the two text encoders. Where both are far narrower than CLIP's,
/// the models can only be such as starter-128, which know flat shapes and nothing else: they get sentences about those.
std::vector<std::string> default_prompts(int64_t text_width);

}  // namespace fresco::cli
