#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "fresco/core/error.h"
#include "fresco/image/read_write.h"
#include "fresco/image/resize.h"
#include "fresco/report/format.h"
#include "fresco/report/page.h"
#include "fresco/training/train_report_parts.h"

namespace fresco::training {
namespace {

constexpr size_t kMostGrids = 24;
constexpr int64_t kWidest = 1024;  // pixels of a grid on the page; the file beside it is whole
constexpr int kQuality = 85;

struct Grid {
  Place place;
  std::string path;
};

// Those that later steps did not draw over, in their order.
std::vector<Grid> grids_of(const RunHistory& history) {
  std::vector<Grid> grids;
  for (const Event& each : history.events) {
    if (each.event.kind != EventKind::samples || each.event.path.empty()) continue;
    while (!grids.empty() && grids.back().place >= each.event.place) grids.pop_back();
    grids.push_back({each.event.place, each.event.path});
  }
  return grids;
}

std::vector<Grid> spread(const std::vector<Grid>& grids) {
  if (grids.size() <= kMostGrids) return grids;
  std::vector<Grid> chosen;
  for (size_t k = 0; k < kMostGrids; ++k) chosen.push_back(grids[k * (grids.size() - 1) / (kMostGrids - 1)]);
  return chosen;
}

// A log may come from anywhere: it names files of the run's folder and no others.
bool lies_inside(const std::filesystem::path& path) {
  return !path.empty() && path.is_relative() &&
         std::none_of(path.begin(), path.end(), [](const auto& part) { return part == ".."; });
}

struct Shown {
  std::string html;
  std::string prompts;  // one a line
};

std::optional<Shown> shown(const RunHistory& history, const RunFolder& folder, const Grid& grid) {
  if (!lies_inside(grid.path)) return std::nullopt;
  try {
    image::Picture picture = image::read_picture(folder.root / grid.path);
    const std::string prompts = image::read_text(folder.root / grid.path, "prompts").value_or("");
    if (picture.width > kWidest)
      picture = image::resize(picture, kWidest, std::max<int64_t>(1, picture.height * kWidest / picture.width));
    const std::string place = report::escaped(place_text(history, grid.place));
    return Shown{fmt::format(R"(<a href="{}"><img src="{}" width="{}" height="{}" alt="Pictures drawn after {}"></a>)"
                             "<figcaption>after {}</figcaption>",
                             report::escaped(grid.path), report::picture_source(picture, kQuality), picture.width,
                             picture.height, place, place),
                 prompts};
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string list_of(const std::string& lines) {
  std::string items;
  for (size_t from = 0; from < lines.size();) {
    const size_t end = std::min(lines.find('\n', from), lines.size());
    items += fmt::format("<li dir=\"auto\">{}</li>", report::escaped(lines.substr(from, end - from)));
    from = end + 1;
  }
  return items.empty() ? "" : "<ol class=\"prompts\">" + items + "</ol>";
}

}  // namespace

// Radio buttons in a row below the pictures are a slider that needs no script: the arrow keys move it.
std::string grid_section(const RunHistory& history, const RunFolder& folder) {
  std::vector<std::pair<Place, Shown>> pictures;
  for (const Grid& grid : spread(grids_of(history))) {
    if (auto picture = shown(history, folder, grid)) pictures.emplace_back(grid.place, std::move(*picture));
  }
  if (pictures.empty()) return "";
  std::string reel;
  for (size_t k = 0; k < pictures.size(); ++k) {
    const bool last = k + 1 == pictures.size();
    reel += fmt::format(R"(<input type="radio" name="reel"{} aria-label="{}" title="{}"><figure>{}</figure>)",
                        last ? " checked" : "", report::escaped(place_text(history, pictures[k].first)),
                        report::escaped(place_text(history, pictures[k].first)), pictures[k].second.html);
    reel += "\n";
  }
  const char* const words =
      pictures.size() > 1
          ? "The recipe's sentences, the same noise each time. The row below is a slider: click, or use the arrow keys."
          : "The recipe's sentences.";
  return report::section("Pictures over time", words,
                         fmt::format(R"(<div class="reel" style="--count:{}">{}</div>{})", pictures.size(), reel,
                                     list_of(pictures.back().second.prompts)));
}

}  // namespace fresco::training
