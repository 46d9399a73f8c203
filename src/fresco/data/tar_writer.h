#pragma once
#include <string>
#include <string_view>

namespace fresco::data {

/// A member of a POSIX ustar archive: its header, the bytes, zeros up to a multiple of 512. Time, owner and rights are constant, so
/// that the same content gives the same archive. Errors: InputError for a name longer than 100 bytes or a member of 8 GiB or more.
std::string tar_member(std::string_view name, std::string_view bytes);

/// What an archive ends with.
std::string tar_end();

}  // namespace fresco::data
