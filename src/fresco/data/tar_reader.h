#pragma once
// What lies where in a tar archive: POSIX ustar, GNU and pax forms.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fresco::data {

struct TarMember {
  std::string name;     // without "./" in front
  uint64_t offset = 0;  // of its first byte in the archive
  uint64_t size = 0;
};

/// The ordinary files in an archive, in its order; links, folders and devices are left out. Only headers are read.
/// Errors: InputError when it cannot be opened, FormatError when it ends early, is compressed or is no tar archive.
std::vector<TarMember> list_tar(const std::filesystem::path& file);

}  // namespace fresco::data
