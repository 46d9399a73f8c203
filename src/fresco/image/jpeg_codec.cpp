// JPEG by libjpeg. Its errors leave by longjmp, so nothing between a setjmp and libjpeg may own anything.
#include <fmt/format.h>

#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE
#include <cstdlib>
#include <utility>

#include <jpeglib.h>

#include <jerror.h>

#include "fresco/core/error.h"
#include "fresco/image/codecs.h"

namespace fresco::image {
namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr std::string_view kExifHead("Exif\0\0", 6);
constexpr size_t kLongestSegment = 65533;  // a 16-bit length that counts itself
constexpr int kMostScans = 500;            // real progressive files have about ten; each costs a pass over all pixels

struct ErrorManager {
  jpeg_error_mgr base;
  jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr codec) {
  auto* manager = reinterpret_cast<ErrorManager*>(codec->err);
  codec->err->format_message(codec, manager->message);
  longjmp(manager->jump, 1);
}

// libjpeg fills a file that ends early with grey; to us that is an error. Its other warnings pass,
// as with Pillow.
void on_message(j_common_ptr codec, int level) {
  if (level < 0 && codec->err->msg_code == JWRN_JPEG_EOF) leave(codec);
}

void on_progress(j_common_ptr codec) {
  if (!codec->is_decompressor || reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number <= kMostScans) return;
  auto* manager = reinterpret_cast<ErrorManager*>(codec->err);
  std::snprintf(manager->message, sizeof manager->message, "more than %d scans", kMostScans);
  longjmp(manager->jump, 1);
}

jpeg_error_mgr* set_up(ErrorManager& manager) {
  jpeg_std_error(&manager.base);
  manager.base.error_exit = leave;
  manager.base.emit_message = on_message;
  return &manager.base;
}

// Runs `step`, which calls libjpeg and owns nothing; false when libjpeg gave up.
template <typename Step>
bool runs_through(ErrorManager& errors, const Step& step) {
  if (setjmp(errors.jump) != 0) return false;
  step();
  return true;
}

// Inverted CMYK, which is what Adobe's and nearly all such files hold, by Pillow's arithmetic.
Picture cmyk_to_rgb(const Picture& cmyk, std::string_view where) {
  Picture rgb = blank_picture(cmyk.width, cmyk.height, 3, where);
  const uint8_t* from = cmyk.pixels.data();
  for (uint8_t* to = rgb.pixels.data(); to != rgb.pixels.data() + rgb.pixels.size(); to += 3, from += 4) {
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - from[c]) * from[3] + 128;
      to[c] = static_cast<uint8_t>(from[3] - (((product >> 8) + product) >> 8));
    }
  }
  return rgb;
}

// ---- Reading ----------------------------------------------------------------------------------------

class JpegReader {
 public:
  JpegReader(std::span<const std::byte> bytes, std::string_view where) : where_(where) {
    codec_.err = set_up(errors_);
    guarded([&] {
      jpeg_create_decompress(&codec_);
      codec_.progress = &progress_;
      progress_.progress_monitor = on_progress;
      jpeg_save_markers(&codec_, kExifMarker, 0xffff);
      jpeg_mem_src(&codec_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    });
  }
  ~JpegReader() { jpeg_destroy_decompress(&codec_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  Decoded read(std::optional<PictureSize> least) {
    guarded([this] {
      jpeg_read_header(&codec_, TRUE);
      choose_colours();
    });
    Decoded decoded;
    read_exif(decoded);
    check_size(codec_.image_width, codec_.image_height, where_);
    if (least) choose_scale(*least, decoded.orientation);
    guarded([this] { jpeg_calc_output_dimensions(&codec_); });
    const bool grey = codec_.out_color_space == JCS_GRAYSCALE, cmyk = codec_.out_color_space == JCS_CMYK;
    Picture& picture = decoded.picture;
    picture = blank_picture(codec_.output_width, codec_.output_height, grey ? 1 : cmyk ? 4 : 3, where_);
    guarded([&] {
      jpeg_start_decompress(&codec_);
      while (codec_.output_scanline < codec_.output_height) {
        JSAMPROW row = picture.at(codec_.output_scanline, 0);
        jpeg_read_scanlines(&codec_, &row, 1);
      }
    });
    if (cmyk) picture = cmyk_to_rgb(picture, where_);
    return decoded;
  }

 private:
  template <typename Step>
  void guarded(const Step& step) {
    if (runs_through(errors_, step)) return;
    throw FormatError(where_,
                      fmt::format("expected a whole JPEG picture, got a broken one: {}", printable(errors_.message)));
  }

  void choose_colours() {
    switch (codec_.jpeg_color_space) {
      case JCS_GRAYSCALE:
        codec_.out_color_space = JCS_GRAYSCALE;
        break;
      case JCS_CMYK:
      case JCS_YCCK:
        codec_.out_color_space = JCS_CMYK;
        break;
      default:
        codec_.out_color_space = JCS_RGB;  // libjpeg refuses what it cannot convert
    }
  }

  // libjpeg shrinks in the frequency domain, which leaves out most of the work; it rounds sides up.
  void choose_scale(PictureSize least, int orientation) {
    if (orientation >= 5) std::swap(least.width, least.height);
    const auto serves = [&](int64_t eighths) {
      return (codec_.image_width * eighths + 7) / 8 >= least.width &&
             (codec_.image_height * eighths + 7) / 8 >= least.height;
    };
    unsigned eighths = 1;
    while (eighths < 8 && !serves(eighths)) ++eighths;
    codec_.scale_num = eighths;
    codec_.scale_denom = 8;
  }

  void read_exif(Decoded& decoded) const {
    for (auto* marker = codec_.marker_list; marker; marker = marker->next) {
      const std::string_view bytes(reinterpret_cast<const char*>(marker->data), marker->data_length);
      if (!bytes.starts_with(kExifHead)) continue;
      ExifContent content = parse_exif(std::as_bytes(std::span(bytes)));
      decoded.orientation = content.orientation;
      decoded.texts = std::move(content.texts);
      return;
    }
  }

  std::string_view where_;
  ErrorManager errors_{};
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct codec_{};
};

// ---- Writing ----------------------------------------------------------------------------------------

class JpegWriter {
 public:
  explicit JpegWriter(std::string_view where) : where_(where) { codec_.err = set_up(errors_); }
  ~JpegWriter() {
    jpeg_destroy_compress(&codec_);
    std::free(out_);
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;

  // picture: grey or RGB. exif: with its head, or empty.
  std::string write(const Picture& picture, const std::string& exif, int quality) {
    const bool done = runs_through(errors_, [&] {
      jpeg_create_compress(&codec_);
      jpeg_mem_dest(&codec_, &out_, &size_);
      set_options(picture, quality);
      jpeg_start_compress(&codec_, TRUE);
      if (!exif.empty()) {
        jpeg_write_marker(&codec_, kExifMarker, reinterpret_cast<const JOCTET*>(exif.data()),
                          static_cast<unsigned>(exif.size()));
      }
      for (int64_t y = 0; y < picture.height; ++y) {
        auto* row = const_cast<JSAMPROW>(picture.at(y, 0));  // libjpeg does not write to it
        jpeg_write_scanlines(&codec_, &row, 1);
      }
      jpeg_finish_compress(&codec_);
    });
    if (!done) throw InputError(where_, fmt::format("a JPEG cannot hold this picture: {}", errors_.message));
    return {reinterpret_cast<const char*>(out_), size_};
  }

 private:
  void set_options(const Picture& picture, int quality) {
    codec_.image_width = static_cast<JDIMENSION>(picture.width);
    codec_.image_height = static_cast<JDIMENSION>(picture.height);
    codec_.input_components = static_cast<int>(picture.channels);
    codec_.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&codec_);
    jpeg_set_quality(&codec_, quality, TRUE);
    codec_.optimize_coding = TRUE;
    for (int c = 0; c < codec_.num_components; ++c)
      codec_.comp_info[c].h_samp_factor = codec_.comp_info[c].v_samp_factor = 1;
  }

  std::string_view where_;
  ErrorManager errors_{};
  jpeg_compress_struct codec_{};
  unsigned char* out_ = nullptr;
  unsigned long size_ = 0;
};

}  // namespace

Decoded decode_jpeg(std::span<const std::byte> bytes, std::string_view where, std::optional<PictureSize> least) {
  return JpegReader(bytes, where).read(least);
}

std::string encode_jpeg(const Picture& picture, const std::vector<Text>& texts, int quality, std::string_view where) {
  std::string exif = make_exif(texts);
  if (!exif.empty()) exif.insert(0, kExifHead);
  if (exif.size() > kLongestSegment) {
    throw InputError(where, fmt::format("texts of {} bytes do not fit into a JPEG, which holds {}; use .png or .webp",
                                        exif.size(), kLongestSegment));
  }
  return JpegWriter(where).write(picture.channels == 4 ? to_rgb(picture) : picture, exif, quality);
}

}  // namespace fresco::image
