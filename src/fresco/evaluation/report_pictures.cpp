#include <fmt/format.h>

#include "fresco/evaluation/base64.h"
#include "fresco/evaluation/format.h"
#include "fresco/evaluation/report_parts.h"
#include "fresco/image/read_write.h"

namespace fresco::evaluation {
namespace {

constexpr int64_t kSmall = 256 * 256;  // pixels: pictures up to this size are embedded without loss
constexpr int kQuality = 90;           // of WebP; the PNG files beside the page are exact

std::string image_source(const image::Picture& picture) {
  const bool small = picture.width * picture.height <= kSmall;
  image::WriteOptions options;
  options.webp_quality = kQuality;
  const std::string bytes = image::encode_picture(small ? ".png" : ".webp", picture, options);
  return fmt::format("data:image/{};base64,{}", small ? "png" : "webp", to_base64(std::as_bytes(std::span(bytes))));
}

std::string picture_cell(const Comparison& comparison, size_t k, size_t side) {
  const Measurement& measured = comparison.sides[side].measured;
  const PicturePair& pair = comparison.pairs[k];
  const image::Picture& picture = measured.pictures[k];
  std::vector<double> seconds;
  for (const RunTimes& run : measured.runs) {
    if (run.picture == k) seconds.push_back(run.seconds);
  }
  const std::string image =
      fmt::format(R"(<img src="{}" width="{}" height="{}" alt="{}">)", image_source(picture), picture.width,
                  picture.height, escaped(fmt::format("{}: {}", kLetter[side], pair.prompt)));
  const std::string& file = pair.files[side];
  return fmt::format(R"(<div class="{}">{}<div class="under"><b class="chip">{}</b>{}</div></div>)", kSide[side],
                     file.empty() ? image : fmt::format(R"(<a href="{}">{}</a>)", escaped(file), image), kLetter[side],
                     seconds_text(quantile(seconds, 0.5)));
}

std::string pair_note(const PicturePair& pair) {
  if (pair.equal) return ", equal pictures";
  return pair.psnr ? fmt::format(", PSNR {:.1f} dB", *pair.psnr) : "";
}

}  // namespace

std::string picture_section(const Comparison& comparison) {
  std::string html;
  for (size_t k = 0; k < comparison.pairs.size(); ++k) {
    const PicturePair& pair = comparison.pairs[k];
    html += fmt::format(R"(<figure><p dir="auto">{} <span>seed {}{}</span></p><div class="two">{}{}</div></figure>)",
                        escaped(pair.prompt), pair.seed, pair_note(pair), picture_cell(comparison, k, 0),
                        picture_cell(comparison, k, 1));
    html += "\n";
  }
  return section("Pictures", "The same sentence and seed left and right.",
                 legend(comparison) + "<div class=\"pairs\">" + html + "</div>");
}

}  // namespace fresco::evaluation
