#pragma once
// A few small files that belong together, whether they lie in a folder or came inside another file.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "fresco/core/json.h"

namespace fresco {

class FileSet {
 public:
  FileSet() = default;
  FileSet(std::filesystem::path folder)
      : place_(std::move(folder)), in_folder_(true) {}  // NOLINT: a folder is such a set
  /// contents: by file name; place: the file that they came in.
  FileSet(std::filesystem::path place, std::map<std::string, std::string> contents)
      : place_(std::move(place)), contents_(std::move(contents)) {}

  /// Made from nothing: neither a folder nor contents.
  bool none() const { return place_.empty(); }
  const std::filesystem::path& place() const { return place_; }
  /// What messages call one of them.
  std::string place(const std::string& name) const;
  bool has(const std::string& name) const;
  /// Errors: InputError when it is not there, FormatError beyond `largest` bytes, ResourceError when reading fails.
  std::string read(const std::string& name, uint64_t largest) const;
  /// Errors: as read_json().
  Json json(const std::string& name) const;

 private:
  std::filesystem::path place_;
  bool in_folder_ = false;
  std::map<std::string, std::string> contents_;
};

}  // namespace fresco
