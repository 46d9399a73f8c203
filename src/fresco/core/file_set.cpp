#include "fresco/core/file_set.h"

#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/core/files.h"

namespace fresco {

std::string FileSet::place(const std::string& name) const {
  return in_folder_ ? (place_ / name).string() : fmt::format("{}: {}", place_.string(), name);
}

bool FileSet::has(const std::string& name) const {
  return in_folder_ ? std::filesystem::exists(place_ / name) : contents_.contains(name);
}

std::string FileSet::read(const std::string& name, uint64_t largest) const {
  if (in_folder_) return read_file(place_ / name, largest);
  const auto found = contents_.find(name);
  if (found == contents_.end()) throw InputError(place(name), "no such file");
  if (found->second.size() > largest)
    throw FormatError(place(name), fmt::format("larger than the {} bytes such a file may have", largest));
  return found->second;
}

Json FileSet::json(const std::string& name) const {
  if (in_folder_) return read_json(place_ / name);
  return parse_json(read(name, UINT64_MAX), place(name));
}

}  // namespace fresco
