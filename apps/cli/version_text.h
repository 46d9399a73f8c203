#pragma once
#include <string>

namespace fresco::cli {

/// What `fresco --version` tells: a first line "fresco 0.1.0", then libtorch, instruction sets and devices.
std::string version_text();

}  // namespace fresco::cli
