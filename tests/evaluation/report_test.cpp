#include "fresco/evaluation/report.h"

#include <gmock/gmock.h>

#include <regex>

#include "fresco/evaluation/plots.h"
#include "tests/evaluation/samples.h"

namespace fresco::evaluation {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t occurrences(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

TEST(Page, NeedsNothingBesideIt) {
  const std::string page = report_html(sample_comparison());
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  const std::regex source("src=\"([^\"]{0,10})");
  for (std::sregex_iterator each(page.begin(), page.end(), source), end; each != end; ++each)
    EXPECT_EQ((*each)[1].str(), "data:image");
  EXPECT_EQ(occurrences(page, "<img "), 4u);
}

TEST(Page, ShowsPromptsAsText) {
  const std::string page =
      report_html(sample_comparison({"<img src=x onerror=\"alert(1)\">", "a & b </figure> '\"> \xff"}));
  EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(page, HasSubstr("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;"));
  EXPECT_THAT(page, HasSubstr("a &amp; b &lt;/figure&gt; &#39;&quot;&gt; \xef\xbf\xbd"));
}

TEST(Page, NamesOfModelsAreTextToo) {
  Measurement a = sample_measurement("<b>/x\"y", 2, 0.1, 1), b = sample_measurement("plain", 2, 0.1, 1);
  a.settings["negative"] = "<i>";
  const std::string page = report_html(compare({.prompts = {"p"}, .seeds = {1}}, a, b));
  EXPECT_THAT(page, Not(HasSubstr("<b>/x")));
  EXPECT_THAT(page, Not(HasSubstr("<i>")));
  EXPECT_THAT(page, HasSubstr("x&quot;y"));
}

TEST(Page, SaysWhatMatters) {
  Comparison comparison = sample_comparison();
  comparison.pairs[0].files = {"a/one.png", "b/one.png"};
  const std::string page = report_html(comparison);
  for (const char* words : {"2.25 times as fast", "seed 7", "Not counted: loading", "860 M", "5.34 GB", "fresco ",
                            "2026-01-02T03:04:05Z", "href=\"a/one.png\""})
    EXPECT_THAT(page, HasSubstr(words));
  EXPECT_THAT(page, Not(HasSubstr("Price of 10,000")));
  EXPECT_THAT(page, Not(HasSubstr("Beside the publication")));
}

TEST(Page, SetsThePublishedFiguresBesideTheirModels) {
  Measurement deci = sample_measurement("deci", 30, 0.1, 1), stable = sample_measurement("sd", 50, 0.16, 1);
  deci.family = "DeciDiffusion 1.0";
  const Conditions conditions{.prompts = {"p"}, .seeds = {1}};
  for (const std::string& page :
       {report_html(compare(conditions, deci, stable)), report_html(compare(conditions, stable, deci))}) {
    EXPECT_THAT(page, HasSubstr("Beside the publication"));
    EXPECT_THAT(page, HasSubstr("This run, 30 steps against 50</th><td>4.00 s</td><td>9.00 s</td><td>2.25</td>"));
  }
}

TEST(Page, DrawsOneStepAndOnePicture) {
  const auto one = [](const char* model) { return sample_measurement(model, 1, 0.1, 1); };
  const std::string page = report_html(compare({.prompts = {"p"}, .seeds = {1}}, one("x"), one("y")));
  for (const char* broken : {"nan%", "nan,", "inf%", "inf,", "-nan", "nan s", "inf s"})
    EXPECT_THAT(page, Not(HasSubstr(broken)));
  EXPECT_THAT(page, HasSubstr("1 picture,"));
}

TEST(Report, HoldsTheFiguresOfBothAndTheirRatios) {
  Comparison comparison = sample_comparison();
  comparison.conditions.price_per_hour = 2;
  for (Contestant& side : comparison.sides) side.summary = summarize(side.measured, 2);
  const Json json = report_json(comparison);
  EXPECT_EQ(json.at("schema"), 1);
  EXPECT_EQ(json.at("verdict").at("faster"), "a");
  EXPECT_EQ(json.at("a").at("figures").at("seconds_per_picture"), 4.0);
  EXPECT_EQ(json.at("b").at("figures").at("seconds_per_picture"), 9.0);
  EXPECT_NEAR(json.at("ratios").at("cost_per_10000").get<double>(), 4.0 / 9, 1e-12);
  EXPECT_EQ(json.at("a").at("runs").size(), 2u);
  EXPECT_EQ(json.at("pairs").at(1).at("prompt"), "a blue star");
  EXPECT_TRUE(json.at("pairs").at(0).at("psnr_db").is_null());
  EXPECT_FALSE(json.at("machine").at("processors").is_null());
}

}  // namespace
}  // namespace fresco::evaluation
