#pragma once
// Picture files: PNG, JPEG and WebP, recognised by content when read and by extension when written.
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/image/exif.h"
#include "fresco/image/picture.h"
#include "fresco/image/picture_size.h"

namespace fresco::image {

/// Turned upright as its EXIF orientation says; 16-bit samples give their high byte, palettes and
/// grey with alpha become RGB(A), CMYK JPEG becomes RGB. Errors: InputError when the file cannot be
/// opened, FormatError when it is no whole picture or has more than kLargestPixels, ResourceError
/// without memory.
Picture read_picture(const std::filesystem::path& file);
Picture read_picture(std::span<const std::byte> bytes, std::string_view where);
/// For those who shrink it afterwards: at least as wide and high as `least`, where the picture is. A JPEG is decoded at the smallest eighth
/// of its size that serves, which saves most of its time; others come as they are. Errors as above.
Picture read_picture_at_least(std::span<const std::byte> bytes, std::string_view where, PictureSize least);

/// All texts in the file: PNG text chunks, EXIF UserComment (as `parameters`), and what fresco adds
/// to EXIF. Errors as above.
std::vector<Text> read_texts(const std::filesystem::path& file);
std::vector<Text> read_texts(std::span<const std::byte> bytes, std::string_view where);
std::optional<std::string> read_text(const std::filesystem::path& file, std::string_view keyword);
std::optional<std::string> read_parameters(const std::filesystem::path& file);

struct WriteOptions {
  std::vector<Text> texts;          // `parameters` first, then any others
  int jpeg_quality = 95;            // 1 to 100
  std::optional<int> webp_quality;  // empty: lossless
};

/// Whether `file` ends in an extension that write_picture knows. Errors: InputError naming `where`
/// and the known ones.
void check_picture_name(const std::filesystem::path& file, std::string_view where = "--out");

/// By extension: .png .jpg .jpeg .webp, in any case. The same arguments give the same bytes. The
/// file is there whole or not at all. Errors: InputError for another extension, an existing file
/// without `overwrite`, a folder that cannot be written, texts or sizes that the format cannot
/// hold; ResourceError when the disk is full.
void write_picture(const std::filesystem::path& file, const Picture& picture, const WriteOptions& options = {},
                   bool overwrite = false);
/// The bytes of such a file; `extension` like ".png".
std::string encode_picture(std::string_view extension, const Picture& picture, const WriteOptions& options = {});

}  // namespace fresco::image
