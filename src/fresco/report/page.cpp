#include "fresco/report/page.h"

#include <fmt/format.h>

#include <cmath>
#include <span>

#include "fresco/image/read_write.h"
#include "fresco/report/base64.h"
#include "fresco/report/format.h"
#include "fresco/report/style.h"

namespace fresco::report {
namespace {

constexpr int64_t kSmall = 256 * 256;  // pixels: pictures up to this size are embedded without loss

}  // namespace

std::string page(const std::string& title, const std::string& style, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\">\n"
      "<title>{}</title>\n<style>{}{}</style></head>\n<body><main>\n{}</main></body></html>\n",
      escaped(title), kPageStyle, style, body);
}

std::string section(const std::string& title, const std::string& words, const std::string& content) {
  const std::string lead = words.empty() ? "" : fmt::format("<p class=\"soft\">{}</p>", words);
  return fmt::format("<section><h2>{}</h2>{}{}</section>\n", title, lead, content);
}

std::string picture_source(const image::Picture& picture, int quality) {
  const bool small = picture.width * picture.height <= kSmall;
  image::WriteOptions options;
  options.webp_quality = quality;
  const std::string bytes = image::encode_picture(small ? ".png" : ".webp", picture, options);
  return fmt::format("data:image/{};base64,{}", small ? "png" : "webp", to_base64(std::as_bytes(std::span(bytes))));
}

double tick_distance(double most) {
  if (!(most > 0)) return 1;
  const double power = std::pow(10, std::floor(std::log10(most / 2)));
  for (const double step : {5.0, 2.0, 1.0}) {
    if (step * power <= most / 2) return step * power;
  }
  return power;
}

}  // namespace fresco::report
