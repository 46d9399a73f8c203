#pragma once
// A folder for one test, with pictures in it.
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "fresco/data/tar_writer.h"
#include "fresco/image/read_write.h"

namespace fresco::data {

class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fresco-data-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

 private:
  std::filesystem::path folder_;
};

/// Dark on the left, bright on the right; green tells `mark`.
inline image::Picture slope(int64_t width, int64_t height, uint8_t mark = 0) {
  image::Picture picture = image::blank_picture(width, height, 3, "slope");
  for (int64_t row = 0; row < height; ++row) {
    for (int64_t column = 0; column < width; ++column) {
      uint8_t* pixel = picture.at(row, column);
      pixel[0] = static_cast<uint8_t>(255 * column / width);
      pixel[1] = mark;
      pixel[2] = static_cast<uint8_t>(255 * row / height);
    }
  }
  return picture;
}

inline std::string slope_file(const std::string& extension, int64_t width, int64_t height, uint8_t mark = 0) {
  return image::encode_picture(extension, slope(width, height, mark));
}

}  // namespace fresco::data
