#include <fmt/format.h>

#include "fresco/evaluation/report_parts.h"
#include "fresco/report/format.h"
#include "fresco/report/page.h"

namespace fresco::evaluation {

using report::escaped;
using report::seconds_text;
using report::section;
namespace {

std::string picture_cell(const Comparison& comparison, size_t k, size_t side) {
  const Measurement& measured = comparison.sides[side].measured;
  const PicturePair& pair = comparison.pairs[k];
  const image::Picture& picture = measured.pictures[k];
  std::vector<double> seconds;
  for (const RunTimes& run : measured.runs) {
    if (run.picture == k) seconds.push_back(run.seconds);
  }
  const std::string image =
      fmt::format(R"(<img src="{}" width="{}" height="{}" alt="{}">)", report::picture_source(picture), picture.width,
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
