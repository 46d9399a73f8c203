#include "fresco/data/source.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fresco/core/error.h"
#include "fresco/data/shapes.h"
#include "tests/data/scratch.h"
#include "tests/hub/http_server.h"

namespace fresco::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Sources : public testing::Test {
 protected:
  std::unique_ptr<Source> open(const std::string& path, FilterSettings filters = {}) {
    report_ = {};
    return open_source({.path = path, .filters = std::move(filters)}, context(), report_, no_observer());
  }
  SourceContext context() const { return {.cache = scratch_ / "cache"}; }
  /// What opening says when it fails.
  template <typename Error>
  std::string refused(const std::string& path, FilterSettings filters = {}) {
    try {
      open(path, std::move(filters));
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error.what();
    }
    return "nothing was thrown";
  }
  static std::vector<std::string> keys(const Source& source) {
    std::vector<std::string> keys;
    for (int64_t i = 0; i < source.size(); ++i) keys.push_back(source.key(i));
    return keys;
  }

  Scratch scratch_;
  SkipReport report_;
};

// ---- Folders ----------------------------------------------------------------------------------------

TEST_F(Sources, AFolderGivesPicturesWithTheTextsBesideThem) {
  scratch_.write("in/b.jpg", slope_file(".jpg", 40, 30));
  scratch_.write("in/b.txt", " a slope \n");
  scratch_.write("in/a.PNG", slope_file(".png", 20, 10));
  scratch_.write("in/a.txt", "eine Neigung");
  scratch_.write("in/deeper/c.webp", slope_file(".webp", 8, 9));
  scratch_.write("in/deeper/c.txt", "c");
  scratch_.write("in/.hidden/d.png", slope_file(".png", 8, 8));
  scratch_.write("in/readme.md", "no picture");
  const auto source = open(scratch_.path("in"));
  EXPECT_THAT(keys(*source), ElementsAre("a.PNG", "b.jpg", "deeper/c.webp"));
  EXPECT_EQ(source->caption(1), "a slope");
  EXPECT_EQ(source->picture_size(1), (image::PictureSize{40, 30}));
  EXPECT_EQ(source->picture_size(2), (image::PictureSize{8, 9}));
  EXPECT_EQ(source->picture(0, {20, 10}), slope(20, 10));
  EXPECT_TRUE(source->attributes(0).is_null());
  EXPECT_EQ(report_.text(), "");
}

TEST_F(Sources, MetadataGivesCaptionsAndAttributes) {
  scratch_.write("in/a.png", slope_file(".png", 20, 10));
  scratch_.write("in/b.png", slope_file(".png", 20, 10));
  scratch_.write("in/b.txt", "from the text");
  scratch_.write("in/metadata.jsonl",
                 "{\"file_name\": \"a.png\", \"text\": \"from metadata\", \"score\": 7}\n\n"
                 "{\"file_name\": \"gone.png\", \"text\": \"x\"}\n{broken\n");
  const auto source = open(scratch_.path("in"));
  EXPECT_THAT(keys(*source), ElementsAre("a.png", "b.png"));
  EXPECT_EQ(source->caption(0), "from metadata");
  EXPECT_EQ(source->attributes(0), Json({{"score", 7}}));
  EXPECT_EQ(source->caption(1), "from the text");
  EXPECT_EQ(report_.found, 4);
  EXPECT_EQ(report_.skipped(), 2);
  EXPECT_THAT(report_.text(), AllOf(HasSubstr("2 of 4 samples"), HasSubstr("line 4")));
}

TEST_F(Sources, BrokenSamplesAreCountedAndNamed) {
  scratch_.write("in/whole.png", slope_file(".png", 20, 10));
  scratch_.write("in/whole.txt", "whole");
  scratch_.write("in/empty.png", "");
  scratch_.write("in/gif.png", "GIF89a and more of it");
  scratch_.write("in/short.jpg", slope_file(".jpg", 20, 10).substr(0, 30));
  scratch_.write("in/silent.png", slope_file(".png", 20, 10));
  scratch_.write("in/cut.png", slope_file(".png", 200, 100).substr(0, 200));  // its size is whole
  scratch_.write("in/cut.txt", "cut");
  const auto source = open(scratch_.path("in"));
  EXPECT_THAT(keys(*source), ElementsAre("cut.png", "whole.png"));
  EXPECT_EQ(report_.counts.at("broken picture"), 3);
  EXPECT_EQ(report_.counts.at("without a caption"), 1);
  EXPECT_THAT(report_.text(),
              AllOf(HasSubstr("4 of 6 samples left out"), HasSubstr("empty.png"), HasSubstr("an empty file")));
  EXPECT_THROW(source->picture(0, {64, 64}), FormatError);
}

TEST_F(Sources, WhatHoldsNothingIsRefusedInOneLine) {
  scratch_.write("silent/a.png", slope_file(".png", 20, 10));
  std::filesystem::create_directories(scratch_ / "empty");
  scratch_.write("file", "x");
  EXPECT_THAT(refused<InputError>(scratch_.path("missing")), HasSubstr("no such folder"));
  EXPECT_THAT(refused<InputError>(scratch_.path("empty")), HasSubstr("no pictures there"));
  EXPECT_THAT(refused<InputError>(scratch_.path("silent")), HasSubstr("none of 1 pictures has a caption"));
  EXPECT_THAT(refused<InputError>(scratch_.path("file")), HasSubstr("expected a folder"));
  EXPECT_THAT(refused<InputError>("shapes"), HasSubstr("count"));
}

TEST_F(Sources, PicturesWithoutCaptionsDoWhereNoneAreNeeded) {
  scratch_.write("in/a.png", slope_file(".png", 20, 10));
  const auto source = open_source({.path = scratch_.path("in")}, {.cache = scratch_ / "cache", .needs_captions = false},
                                  report_, no_observer());
  EXPECT_EQ(source->size(), 1);
  EXPECT_EQ(source->caption(0), "");
}

TEST_F(Sources, FiltersKeepWhatTheyName) {
  std::string metadata;
  const auto add = [&](const std::string& name, int64_t width, int64_t height, const std::string& text,
                       const Json& score) {
    scratch_.write("in/" + name, slope_file(".png", width, height));
    metadata += Json{{"file_name", name}, {"text", text}, {"S", score}}.dump() + "\n";
  };
  add("0.png", 64, 64, "fair", 6.5);
  add("1.png", 64, 20, "fair", 6.5);
  add("2.png", 200, 64, "fair", 6.5);
  add("3.png", 64, 64, "öö", 6.5);
  add("4.png", 64, 64, "far too long for this", 6.5);
  add("5.png", 64, 64, "fair", 3);
  add("6.png", 64, 64, "fair", "high");
  add("7.png", 64, 64, "other", 6.5);
  scratch_.write("in/metadata.jsonl", metadata);
  FilterSettings filters{.min_side = 32,
                         .max_aspect = 2,
                         .min_caption = 3,
                         .max_caption = 10,
                         .caption_has = "AIR",
                         .score = "S",
                         .min_score = 5};
  EXPECT_THAT(keys(*open(scratch_.path("in"), filters)), ElementsAre("0.png"));
  EXPECT_THAT(report_.counts, testing::SizeIs(7));
  filters.min_score = 9;
  EXPECT_THAT(refused<InputError>(scratch_.path("in"), filters), HasSubstr("no sample is left: 8 of 8"));
}

TEST_F(Sources, FiltersReadCaptionsWhereverTheyStand) {
  scratch_.write("in/0.tar", tar_member("a.jpg", slope_file(".jpg", 8, 8)) + tar_member("a.txt", "a Red ring") +
                                 tar_member("b.jpg", slope_file(".jpg", 8, 8)) + tar_member("b.txt", "a ring") +
                                 tar_member("c.jpg", slope_file(".jpg", 8, 8)) +
                                 tar_member("c.json", R"({"caption": "red"})") + tar_end());
  EXPECT_THAT(keys(*open(scratch_.path("in"), {.caption_has = "red"})), ElementsAre("0.tar/a", "0.tar/c"));
  EXPECT_EQ(report_.counts["with another caption"], 1);
}

TEST_F(Sources, FiltersChooseAmongDrawnScenes) {
  const auto open_shapes = [&](const FilterSettings& filters) {
    return open_source({.path = "shapes", .count = 20, .seed = 3, .filters = filters}, context(), report_,
                       no_observer());
  };
  const auto all = open_shapes({});
  const auto some = open_shapes({.min_caption = 20, .max_caption = 45, .caption_has = "inside"});
  ASSERT_EQ(some->size(), 20);
  for (int64_t i = 0; i < some->size(); ++i) {
    EXPECT_THAT(some->caption(i), HasSubstr("inside"));
    EXPECT_EQ(some->attributes(i)["relation"], "inside");
    EXPECT_LE(some->caption(i).size(), 45u);
  }
  EXPECT_EQ(all->key(7), "shapes/3/7");
  EXPECT_NE(some->key(7), all->key(7));
  EXPECT_THROW(open_shapes({.caption_has = "hexagon"}), InputError);
}

TEST_F(Sources, AtMostSoManyAreTaken) {
  for (int k = 0; k < 5; ++k) {
    scratch_.write(fmt::format("in/{}.png", k), slope_file(".png", 8, 8));
    scratch_.write(fmt::format("in/{}.txt", k), "x");
  }
  EXPECT_EQ(open_source({.path = scratch_.path("in"), .count = 3}, context(), report_, no_observer())->size(), 3);
}

// ---- Shards -----------------------------------------------------------------------------------------

std::string shard(int first, int count) {
  std::string tar;
  for (int k = first; k < first + count; ++k) {
    tar += tar_member(fmt::format("./{:04}.jpg", k), slope_file(".jpg", 32, 24));
    tar += tar_member(fmt::format("./{:04}.txt", k), fmt::format("slope {}", k));
    tar += tar_member(fmt::format("./{:04}.json", k), fmt::format("{{\"caption\": \"other\", \"number\": {}}}", k));
  }
  return tar + tar_end();
}

TEST_F(Sources, ShardsGiveTheirSamplesInOrder) {
  for (int k = 0; k < 12; ++k) scratch_.write(fmt::format("in/{:05}.tar", k), shard(10 * k, 2));
  for (const char* pattern : {"in/{00000..00011}.tar", "in/*.tar", "in"}) {
    const auto source = open(scratch_.path(pattern));
    ASSERT_EQ(source->size(), 24) << pattern;
    EXPECT_EQ(source->key(3), "00001.tar/0011");
    EXPECT_EQ(source->caption(3), "slope 11");
    EXPECT_EQ(source->attributes(3), Json({{"number", 11}}));
    EXPECT_EQ(source->picture_size(3), (image::PictureSize{32, 24}));
    EXPECT_EQ(source->picture(3, {32, 24}).width, 32);
  }
  EXPECT_EQ(open(scratch_.path("in/{00002,00007}.tar"))->key(2), "00007.tar/0070");
  EXPECT_THAT(refused<InputError>(scratch_.path("in/{00009..00012}.tar")),
              AllOf(HasSubstr("00012.tar"), HasSubstr("no such file")));
  EXPECT_THAT(refused<InputError>(scratch_.path("in/x*.tar")), HasSubstr("no file matches"));
  EXPECT_THAT(refused<InputError>(scratch_.path("in/{3..1}.tar")), HasSubstr("range"));
}

TEST_F(Sources, CaptionsComeFromJsonWhereNoTextIs) {
  scratch_.write("a.tar",
                 tar_member("a/b.c/1.png", slope_file(".png", 8, 8)) +
                     tar_member("a/b.c/1.json", R"({"caption": "told", "AESTHETIC_SCORE": 6.2, "status": "success"})") +
                     tar_member("2.seg.png", "not the picture") + tar_member("2.json", R"({"caption": "x"})") +
                     tar_end());
  const auto source = open(scratch_.path("a.tar"), {.score = "AESTHETIC_SCORE", .min_score = 6});
  EXPECT_THAT(keys(*source), ElementsAre("a.tar/a/b.c/1"));
  EXPECT_EQ(source->caption(0), "told");
  EXPECT_EQ(report_.counts.at("no picture"), 1);
}

TEST_F(Sources, AKeptIndexSaysTheSameAndAnOldOneIsNotUsed) {
  scratch_.write("a.tar", shard(0, 3));
  EXPECT_EQ(open(scratch_.path("a.tar"))->size(), 3);
  const auto indexes = std::filesystem::directory_iterator(scratch_ / "cache/indexes");
  EXPECT_EQ(std::distance(begin(indexes), end(indexes)), 1);
  const auto again = open(scratch_.path("a.tar"));
  EXPECT_EQ(again->caption(2), "slope 2");
  EXPECT_EQ(again->picture_size(2), (image::PictureSize{32, 24}));
  scratch_.write("a.tar", shard(5, 4));
  EXPECT_EQ(open(scratch_.path("a.tar"))->key(0), "a.tar/0005");
  for (const auto& file : std::filesystem::directory_iterator(scratch_ / "cache/indexes"))
    std::ofstream(file.path()) << "{\"samples\": 3";
  EXPECT_EQ(open(scratch_.path("a.tar"))->size(), 4);
}

TEST_F(Sources, ArchivesThatAreNotWholeAreRefused) {
  const std::string whole = shard(0, 2);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {whole.substr(0, 700), "ends early"},
      {whole.substr(0, 512 * 9 + 100), "ends early"},
      {"", "empty file"},
      {std::string(2000, 'x'), "expected a tar archive"},
      {"\x1f\x8b packed" + std::string(600, 'x'), "gzip"},
      {tar_member("a.txt", "a") + std::string(512, 'x') + tar_end(), "no tar header"}};
  for (const auto& [bytes, words] : cases) {
    scratch_.write("a.tar", bytes);
    EXPECT_THAT(refused<FormatError>(scratch_.path("a.tar")), AllOf(HasSubstr("a.tar"), HasSubstr(words)));
  }
}

/// A header as GNU tar and pax write them; the type and the size field are given.
std::string special_member(char type, std::string bytes, const std::string& name = "././@LongLink") {
  std::string member = tar_member(name, bytes);
  member[156] = type;
  int sum = 0;
  member.replace(148, 8, "        ");
  for (size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(member[i]);
  member.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  return member;
}

TEST_F(Sources, LongNamesOfBothKindsAreRead) {
  const std::string gnu = std::string(150, 'g') + "/1.png", pax = std::string(200, 'p') + "/2.png";
  const std::string record = fmt::format("{} path={}\n", pax.size() + 10, pax);
  ASSERT_EQ(record.size(), pax.size() + 10);
  scratch_.write("a.tar", special_member('5', "", "folder") + special_member('L', gnu + '\0') +
                              tar_member("cut", slope_file(".png", 8, 8)) + special_member('g', "12 comment=x") +
                              special_member('x', record) + tar_member("cut", slope_file(".png", 9, 9)) +
                              special_member('2', "", "3.png") + tar_end());
  const auto source = open_source({.path = scratch_.path("a.tar")},
                                  {.cache = scratch_ / "cache", .needs_captions = false}, report_, no_observer());
  EXPECT_THAT(keys(*source),
              ElementsAre("a.tar/" + gnu.substr(0, gnu.size() - 4), "a.tar/" + pax.substr(0, pax.size() - 4)));
  EXPECT_EQ(source->picture_size(1), (image::PictureSize{9, 9}));
}

// ---- From the network -------------------------------------------------------------------------------

TEST_F(Sources, ShardsComeOverHttpOnceAndGoOnWhereTheyBrokeOff) {
  const std::string bytes = shard(0, 40);
  int served = 0;
  hub::HttpServer server([&](const hub::ServerRequest& request) -> hub::ServerReply {
    if (request.target != "/s/00003.tar") return {.status = 404};
    ++served;
    const std::string range = request.header("range");
    if (range.empty()) return {.body = bytes, .break_after = bytes.size() / 2};
    const size_t from = std::stoul(range.substr(range.find('=') + 1));
    return {.status = 206, .body = bytes.substr(from)};
  });
  const std::string url = server.address() + "/s/{00003..00003}.tar";
  const auto source = open(url);
  EXPECT_EQ(source->size(), 40);
  EXPECT_EQ(source->key(39), "00003.tar/0039");
  EXPECT_EQ(source->caption(39), "slope 39");
  EXPECT_EQ(served, 2);
  EXPECT_EQ(open(url)->size(), 40);
  EXPECT_EQ(served, 2);
  EXPECT_THAT(refused<InputError>(server.address() + "/s/00004.tar"), AllOf(HasSubstr("00004.tar"), HasSubstr("404")));
}

// ---- Shapes -----------------------------------------------------------------------------------------

TEST_F(Sources, ShapesAreDrawnAsTheyAreRead) {
  const auto source = open_source({.path = "shapes", .count = 5, .seed = 3}, context(), report_, no_observer());
  EXPECT_EQ(source->size(), 5);
  EXPECT_EQ(source->caption(4), shapes::scene(3, 4).caption);
  EXPECT_EQ(source->picture(4, {96, 96}), shapes::draw_scene(shapes::scene(3, 4), 96));
  EXPECT_EQ(source->attributes(4).at("background"), shapes::name(shapes::scene(3, 4).background));
}

}  // namespace
}  // namespace fresco::data
