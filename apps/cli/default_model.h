#pragma once
#include <string>

namespace fresco::cli {

/// $FRESCO_MODEL, else the model that comes with fresco: beside an installed program or in the source tree it was built from.
/// Errors: InputError when there is none.
std::string default_model();

}  // namespace fresco::cli
