// PNG by libpng. Its errors leave by longjmp, so nothing between a setjmp and libpng may own anything.
#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <new>

#include "fresco/core/error.h"
#include "fresco/core/unicode.h"
#include "fresco/image/codecs.h"

namespace fresco::image {
namespace {

using Message = std::array<char, 160>;

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto* message = static_cast<Message*>(png_get_error_ptr(png));
  std::snprintf(message->data(), message->size(), "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

// Runs `step`, which calls libpng and owns nothing; false when libpng gave up.
template <typename Step>
bool runs_through(png_structp png, const Step& step) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  step();
  return true;
}

// ---- Reading ----------------------------------------------------------------------------------------

class PngReader {
 public:
  PngReader(std::span<const std::byte> bytes, std::string_view where) : left_(bytes), where_(where) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &message_, on_error, on_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw ResourceError(where, "no memory to read a PNG picture");
    }
    png_set_read_fn(png_, this, take);
    png_set_user_limits(png_, 0x7fffffff, 0x7fffffff);  // blank_picture() decides, with a better message
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  Decoded read() {
    guarded([this] { png_read_info(png_, info_); });
    Decoded decoded;
    decoded.picture =
        blank_picture(png_get_image_width(png_, info_), png_get_image_height(png_, info_), channels_to_come(), where_);
    Picture& picture = decoded.picture;
    std::vector<png_bytep> rows(static_cast<size_t>(picture.height));
    for (int64_t y = 0; y < picture.height; ++y) rows[static_cast<size_t>(y)] = picture.at(y, 0);
    guarded([&] {
      ask_for_bytes();
      if (png_get_rowbytes(png_, info_) != static_cast<size_t>(picture.width * picture.channels)) {
        png_error(png_, "rows of an unexpected size");
      }
      png_read_image(png_, rows.data());
      png_read_end(png_, info_);
    });
    read_exif(decoded);
    read_texts(decoded.texts);
    return decoded;
  }

 private:
  static void take(png_structp png, png_bytep to, size_t count) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (reader->left_.size() < count) png_error(png, "the file ends early");
    std::memcpy(to, reader->left_.data(), count);
    reader->left_ = reader->left_.subspan(count);
  }

  template <typename Step>
  void guarded(const Step& step) {
    if (runs_through(png_, step)) return;
    throw FormatError(where_,
                      fmt::format("expected a whole PNG picture, got a broken one: {}", printable(message_.data())));
  }

  bool has_alpha() const {
    return (png_get_color_type(png_, info_) & PNG_COLOR_MASK_ALPHA) || png_get_valid(png_, info_, PNG_INFO_tRNS);
  }
  int64_t channels_to_come() const {
    if (has_alpha()) return 4;
    return png_get_color_type(png_, info_) == PNG_COLOR_TYPE_GRAY ? 1 : 3;
  }
  void ask_for_bytes() {
    const bool grey = !(png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR);
    png_set_expand(png_);    // palettes, 1 to 4 bits and transparent colours to bytes
    png_set_strip_16(png_);  // the high byte, as Pillow takes it
    if (grey && has_alpha()) png_set_gray_to_rgb(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  }

  void read_exif(Decoded& decoded) {
    png_uint_32 count = 0;
    png_bytep block = nullptr;
    if (!png_get_eXIf_1(png_, info_, &count, &block)) return;
    ExifContent content = parse_exif(std::as_bytes(std::span(block, count)));
    decoded.orientation = content.orientation;
    decoded.texts = std::move(content.texts);
  }

  // Chunks come before what EXIF says, so that the first of a keyword is the chunk's.
  void read_texts(std::vector<Text>& texts) {
    png_textp chunks = nullptr;
    int count = 0;
    png_get_text(png_, info_, &chunks, &count);
    std::vector<Text> found;
    for (const png_text& chunk : std::span(chunks, static_cast<size_t>(count))) {
      const bool utf8 = chunk.compression >= PNG_ITXT_COMPRESSION_NONE;
      const std::string_view text(chunk.text ? chunk.text : "", utf8 ? chunk.itxt_length : chunk.text_length);
      found.push_back({latin1_to_utf8(chunk.key), utf8 ? encode_utf8(decode_utf8(text)) : latin1_to_utf8(text)});
    }
    texts.insert(texts.begin(), found.begin(), found.end());
  }

  std::span<const std::byte> left_;
  std::string_view where_;
  Message message_{};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

// ---- Writing ----------------------------------------------------------------------------------------

// A text as a chunk holds it; NUL, which ends texts there, becomes a blank.
struct ChunkText {
  std::string keyword;
  std::string text;
  bool utf8 = false;
};

ChunkText chunk_text(const Text& text) {
  ChunkText out{text.keyword, text.text, false};
  std::replace(out.text.begin(), out.text.end(), '\0', ' ');
  if (auto latin1 = utf8_to_latin1(out.text)) {
    out.text = std::move(*latin1);
  } else {
    out.text = encode_utf8(decode_utf8(out.text));
    out.utf8 = true;
  }
  return out;
}

class PngWriter {
 public:
  explicit PngWriter(std::string_view where) : where_(where) {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, &message_, on_error, on_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) {
      png_destroy_write_struct(&png_, nullptr);
      throw ResourceError(where, "no memory to write a PNG picture");
    }
    png_set_write_fn(png_, &out_, append, [](png_structp) {});
  }
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  std::string write(const Picture& picture, const std::vector<Text>& texts) {
    std::vector<ChunkText> contents;
    for (const Text& text : texts) contents.push_back(chunk_text(text));
    std::vector<png_text> chunks(contents.size());
    for (size_t i = 0; i < chunks.size(); ++i) {
      chunks[i].compression = contents[i].utf8 ? PNG_ITXT_COMPRESSION_NONE : PNG_TEXT_COMPRESSION_NONE;
      chunks[i].key = contents[i].keyword.data();
      chunks[i].text = contents[i].text.data();
      (contents[i].utf8 ? chunks[i].itxt_length : chunks[i].text_length) = contents[i].text.size();
    }
    const int colour = picture.channels == 1   ? PNG_COLOR_TYPE_GRAY
                       : picture.channels == 3 ? PNG_COLOR_TYPE_RGB
                                               : PNG_COLOR_TYPE_RGB_ALPHA;
    const bool done = runs_through(png_, [&] {
      png_set_IHDR(png_, info_, static_cast<png_uint_32>(picture.width), static_cast<png_uint_32>(picture.height), 8,
                   colour, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
      png_set_text(png_, info_, chunks.data(), static_cast<int>(chunks.size()));
      png_write_info(png_, info_);
      for (int64_t y = 0; y < picture.height; ++y) png_write_row(png_, picture.at(y, 0));
      png_write_end(png_, info_);
    });
    if (!done) throw InputError(where_, fmt::format("a PNG cannot hold this picture: {}", message_.data()));
    return std::move(out_);
  }

 private:
  static void append(png_structp png, png_bytep bytes, size_t count) {
    try {
      static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), count);
      return;
    } catch (const std::bad_alloc&) {
    }
    png_error(png, "no memory");
  }

  std::string_view where_;
  std::string out_;
  Message message_{};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

Decoded decode_png(std::span<const std::byte> bytes, std::string_view where) { return PngReader(bytes, where).read(); }

std::string encode_png(const Picture& picture, const std::vector<Text>& texts, std::string_view where) {
  return PngWriter(where).write(picture, texts);
}

}  // namespace fresco::image
