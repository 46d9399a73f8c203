// WebP by libwebp and libwebpmux.
#include <fmt/format.h>
#include <webp/decode.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <memory>

#include "fresco/core/error.h"
#include "fresco/image/codecs.h"

namespace fresco::image {
namespace {

using Mux = std::unique_ptr<WebPMux, decltype(&WebPMuxDelete)>;

WebPData data_of(std::string_view bytes) { return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}; }

const char* reason(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "no memory";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "a feature that libwebp does not know";
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "the file ends early";
    default:
      return "broken data";
  }
}

void require(VP8StatusCode status, std::string_view where) {
  if (status == VP8_STATUS_OK) return;
  if (status == VP8_STATUS_OUT_OF_MEMORY) throw ResourceError(where, "no memory to read a WebP picture");
  throw FormatError(where, fmt::format("expected a whole WebP picture, got a broken one: {}", reason(status)));
}

void read_exif(std::string_view bytes, Decoded& decoded) {
  const WebPData whole = data_of(bytes);
  const Mux mux(WebPMuxCreate(&whole, 0), WebPMuxDelete);
  WebPData block{};
  if (!mux || WebPMuxGetChunk(mux.get(), "EXIF", &block) != WEBP_MUX_OK) return;
  ExifContent content = parse_exif(std::as_bytes(std::span(block.bytes, block.size)));
  decoded.orientation = content.orientation;
  decoded.texts = std::move(content.texts);
}

class WebPWriter {
 public:
  explicit WebPWriter(std::string_view where) : where_(where) {
    WebPPictureInit(&input_);
    WebPMemoryWriterInit(&output_);
  }
  ~WebPWriter() {
    WebPPictureFree(&input_);
    WebPMemoryWriterClear(&output_);
  }
  WebPWriter(const WebPWriter&) = delete;
  WebPWriter& operator=(const WebPWriter&) = delete;

  // picture: RGB or RGBA.
  std::string write(const Picture& picture, std::optional<int> quality) {
    WebPConfig config;
    bool done = WebPConfigInit(&config);
    config.lossless = !quality;
    config.exact = 1;                                           // colours under full transparency too
    config.quality = static_cast<float>(quality.value_or(75));  // lossless: effort, libwebp's own default
    input_.use_argb = !quality;
    input_.width = static_cast<int>(picture.width);
    input_.height = static_cast<int>(picture.height);
    input_.writer = WebPMemoryWrite;
    input_.custom_ptr = &output_;
    const int stride = static_cast<int>(picture.width * picture.channels);
    const auto import = picture.channels == 4 ? WebPPictureImportRGBA : WebPPictureImportRGB;
    done = done && import(&input_, picture.pixels.data(), stride) && WebPEncode(&config, &input_);
    if (!done)
      throw ResourceError(where_, fmt::format("libwebp gave up with error {}", static_cast<int>(input_.error_code)));
    return {reinterpret_cast<const char*>(output_.mem), output_.size};
  }

 private:
  std::string_view where_;
  WebPPicture input_;
  WebPMemoryWriter output_;
};

std::string with_exif(const std::string& picture, const std::string& exif, std::string_view where) {
  const Mux mux(WebPMuxNew(), WebPMuxDelete);
  const WebPData image = data_of(picture), block = data_of(exif);
  WebPData whole{};
  const bool done = mux && WebPMuxSetImage(mux.get(), &image, 0) == WEBP_MUX_OK &&
                    WebPMuxSetChunk(mux.get(), "EXIF", &block, 0) == WEBP_MUX_OK &&
                    WebPMuxAssemble(mux.get(), &whole) == WEBP_MUX_OK;
  std::string out(reinterpret_cast<const char*>(whole.bytes), whole.size);
  WebPDataClear(&whole);
  if (!done) throw ResourceError(where, "no memory to put the texts into a WebP picture");
  return out;
}

}  // namespace

Decoded decode_webp(std::span<const std::byte> bytes, std::string_view where) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config))
    throw ResourceError(where, "another version of libwebp than fresco was built with");
  require(WebPGetFeatures(data, bytes.size(), &config.input), where);
  if (config.input.has_animation) throw FormatError(where, "expected a still picture, got an animated WebP");
  Decoded decoded;
  Picture& picture = decoded.picture;
  picture = blank_picture(config.input.width, config.input.height, config.input.has_alpha ? 4 : 3, where);
  config.output.colorspace = picture.channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = picture.pixels.data();
  config.output.u.RGBA.stride = static_cast<int>(picture.width * picture.channels);
  config.output.u.RGBA.size = picture.pixels.size();
  const VP8StatusCode status = WebPDecode(data, bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  require(status, where);
  read_exif({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, decoded);
  return decoded;
}

std::string encode_webp(const Picture& picture, const std::vector<Text>& texts, std::optional<int> quality,
                        std::string_view where) {
  if (picture.width > WEBP_MAX_DIMENSION || picture.height > WEBP_MAX_DIMENSION) {
    throw InputError(where, fmt::format("expected sides of at most {} pixels for a WebP, got {}x{}; use .png",
                                        WEBP_MAX_DIMENSION, picture.width, picture.height));
  }
  std::string out = WebPWriter(where).write(picture.channels == 1 ? to_rgb(picture) : picture, quality);
  const std::string exif = make_exif(texts);
  return exif.empty() ? out : with_exif(out, exif, where);
}

}  // namespace fresco::image
