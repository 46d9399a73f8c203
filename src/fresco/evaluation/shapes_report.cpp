// The measure as text, as JSON and as a page.
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/names.h"
#include "fresco/evaluation/shapes_measure.h"
#include "fresco/report/format.h"
#include "fresco/report/page.h"

namespace fresco::evaluation {
namespace {

using report::escaped;

struct Row {
  const char* title;
  const char* what;
  Share ShapesScore::*share;
};
constexpr Row kRows[] = {
    {"background", "colour of the background, a picture each", &ShapesScore::backgrounds},
    {"colours", "those said cover most beside the background, a picture each", &ShapesScore::colours},
    {"clean", "and no other colour is there, a picture each", &ShapesScore::clean},
    {"relation", "which stands where, a picture of two things each", &ShapesScore::relations},
    {"shapes", "the kind of shape, a named shape each", &ShapesScore::shapes},
    {"everything", "all of it right, a picture each", &ShapesScore::all}};

constexpr const char* kStyle = R"(
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px; }
.pictures figure { margin: 0; font-size: 12px; line-height: 1.35; }
.pictures img { width: 128px; height: 128px; display: block; margin-bottom: 4px; border-radius: 4px; }
.pictures .wrong img { outline: 3px solid #d64545; outline-offset: 1px; }
.pictures .read { opacity: .75; }
td.words, th.words { text-align: left; }
td.count { text-align: right; font-variant-numeric: tabular-nums; }
)";

std::string cell(const Share& share) { return share.of == 0 ? "-" : fmt::format("{:.1f} %", share.per_cent()); }
std::string counted(const Share& share) {
  return share.of == 0 ? "-" : fmt::format("{:.1f} % ({} of {})", share.per_cent(), share.right, share.of);
}

std::string score_table(const ShapesMeasure& measure) {
  std::string rows;
  for (const Row& row : kRows) {
    rows += fmt::format("<tr><th>{}</th><td class=count>{}</td><td class=count>{}</td><td class=words>{}</td></tr>",
                        row.title, counted(measure.unseen.*row.share), counted(measure.held_out.*row.share), row.what);
  }
  return "<table><tr><th>what</th><th>unseen sentences</th><th>held-out combinations</th><th "
         "class=words>counted</th></tr>" +
         rows + "</table>";
}

std::string confusion_table(const ShapesScore& score) {
  std::string head = "<tr><th>said \\ read</th>", rows;
  for (const auto name : data::shapes::kShapeNames) head += fmt::format("<th>{}</th>", name);
  for (size_t said = 0; said < score.confusion.size(); ++said) {
    rows += fmt::format("<tr><th>{}</th>", data::shapes::kShapeNames[said]);
    for (const int64_t count : score.confusion[said]) rows += fmt::format("<td class=count>{}</td>", count);
    rows += "</tr>";
  }
  return "<table>" + head + "<th>no shape</th></tr>" + rows + "</table>";
}

std::string figure(const MeasuredPicture& each) {
  return fmt::format("<figure{}><img src=\"{}\" alt=\"{}\">{}<div class=read>read: {}</div></figure>",
                     each.verdict.all() ? "" : " class=wrong", report::picture_source(each.picture),
                     escaped(each.scene.caption), escaped(each.scene.caption), escaped(text_of(each.reading)));
}

std::string gallery(const ShapesMeasure& measure, bool held_out) {
  std::string wrong, right;
  for (const MeasuredPicture& each : measure.pictures) {
    if (each.held_out == held_out) (each.verdict.all() ? right : wrong) += figure(each);
  }
  return "<div class=pictures>" + wrong + right + "</div>";
}

std::string held_out_words() {
  std::vector<std::string> things;
  for (const auto& [colour, shape] : data::shapes::held_out_things())
    things.push_back(fmt::format("{} {}", name(colour), name(shape)));
  return joined(things);
}

Json picture_json(const MeasuredPicture& each) {
  return {{"prompt", each.scene.caption},
          {"seed", each.seed},
          {"split", data::shapes::kSplitNames[data::shapes::index_of(data::shapes::split_of(each.scene))]},
          {"said", data::shapes::attributes(each.scene)},
          {"read", to_json(each.reading)},
          {"right", to_json(each.verdict)}};
}

}  // namespace

std::string shapes_text(const ShapesMeasure& measure) {
  std::string text = fmt::format("{:<12}  {:>18}  {:>18}\n", "", fmt::format("unseen ({})", measure.unseen.all.of),
                                 fmt::format("held out ({})", measure.held_out.all.of));
  for (const Row& row : kRows)
    text += fmt::format("{:<12}  {:>18}  {:>18}\n", row.title, cell(measure.unseen.*row.share),
                        cell(measure.held_out.*row.share));
  text.pop_back();
  return text;
}

Json shapes_json(const ShapesMeasure& measure, const ShapesConditions& conditions) {
  Json pictures = Json::array();
  for (const MeasuredPicture& each : measure.pictures) pictures.push_back(picture_json(each));
  return {{"schema", 1},
          {"version", version()},
          {"date", conditions.date},
          {"machine", conditions.machine},
          {"model", conditions.model},
          {"family", conditions.family},
          {"hash", conditions.hash},
          {"settings", measure.settings},
          {"seconds", conditions.seconds},
          {"unseen", to_json(measure.unseen)},
          {"held_out", to_json(measure.held_out)},
          {"pictures", pictures}};
}

std::string shapes_html(const ShapesMeasure& measure, const ShapesConditions& conditions) {
  const auto setting = [&](const char* key) {
    const auto found = measure.settings.find(key);
    return found == measure.settings.end() ? "?" : found->is_string() ? found->get<std::string>() : found->dump();
  };
  const std::string words =
      escaped(fmt::format("{}, weights {}: {} steps of {}, guidance {}, rescale {}; {} in all.", conditions.family,
                          conditions.hash.substr(0, 10), setting("steps"), setting("sampler"), setting("guidance"),
                          setting("guidance_rescale"), report::seconds_text(conditions.seconds)));
  std::string body = fmt::format("<header><p class=\"eyebrow\">fresco evaluate shapes, {}</p><h1>{}</h1></header>\n",
                                 escaped(conditions.date.substr(0, 10)), escaped(conditions.model));
  body += report::section("What was drawn of what was said", words, score_table(measure));
  body +=
      report::section("Kinds of shape",
                      "How often a shape that was said was read as which, unseen sentences and held-out combinations.",
                      confusion_table(measure.unseen) + confusion_table(measure.held_out));
  body += report::section("Unseen sentences",
                          "Combinations that training never shows. Those with a mistake come first, outlined.",
                          gallery(measure, false));
  body +=
      report::section("Held-out combinations",
                      "With a shape in a colour that training never shows it in: " + escaped(held_out_words()) + ".",
                      gallery(measure, true));
  return report::page("Shapes: " + conditions.model, kStyle, body);
}

}  // namespace fresco::evaluation
