#pragma once
// The little of EXIF (CIPA DC-008, TIFF 6.0) that fresco needs: which way is up, and the texts a
// picture carries.
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace fresco::image {

/// A text inside a picture file, UTF-8. The keyword `parameters` is the one other programs read.
struct Text {
  std::string keyword;
  std::string text;
  bool operator==(const Text&) const = default;
};

struct ExifContent {
  int orientation = 1;
  std::vector<Text> texts;
};

/// Reads what can be read; a broken block gives the defaults. A leading "Exif\0\0" is skipped.
ExifContent parse_exif(std::span<const std::byte> block);

/// A block without "Exif\0\0": `parameters` as UserComment, the others as one JSON object in the
/// maker's note. Empty without texts.
std::string make_exif(const std::vector<Text>& texts);

}  // namespace fresco::image
