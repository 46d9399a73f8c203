#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "fresco/core/error.h"

namespace fresco::checkpoint {

/// Reference data beside the checkout; empty when it is not there.
inline std::filesystem::path shared_data() {
  const std::filesystem::path folder = std::filesystem::path(FRESCO_SOURCE_DIR) / ".." / "shared";
  return std::filesystem::exists(folder / "goldens") ? folder : std::filesystem::path();
}

/// A folder of its own for one test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fresco-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void write_bytes(const std::filesystem::path& file, std::string_view bytes);
std::string read_bytes(const std::filesystem::path& file);

/// 8 bytes of header length, the header, then `data`.
std::string safetensors_bytes(std::string_view header, std::string_view data);

/// What went wrong: exit status and message; status 0 when nothing did.
struct Outcome {
  int status = 0;
  std::string message;
};
Outcome outcome_of(const std::function<void()>& work);

/// The message is one line of a sane length.
void expect_one_line(const std::string& message);

}  // namespace fresco::checkpoint
