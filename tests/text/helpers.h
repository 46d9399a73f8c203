#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace fresco::text {

/// A folder of its own for each test, removed afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  TemporaryFolder& write(const std::string& name, std::string_view content);
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A vocabulary of the letters a, b and c with three merges, whose start and end tokens are ids 9
/// and 10.
inline constexpr std::string_view kSmallVocabulary =
    R"({"a": 0, "b": 1, "c": 2, "a</w>": 3, "b</w>": 4, "c</w>": 5, "ab": 6, "ab</w>": 7, "abc</w>": 8,
        "<|startoftext|>": 9, "<|endoftext|>": 10, "!": 11, "!</w>": 12})";
inline constexpr std::string_view kSmallMerges = "#version: 0.2\na b\na b</w>\nab c</w>\n";

}  // namespace fresco::text
