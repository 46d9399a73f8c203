#include "fresco/checkpoint/calibration.h"

#include <gmock/gmock.h>

#include "tests/checkpoint/helpers.h"

namespace fresco::checkpoint {
namespace {

using testing::HasSubstr;

Calibration example() {
  return {.program = "fresco 1",
          .weights_hash = "abc",
          .prompts = {"a cat", "une île"},
          .steps = 4,
          .floor_db = 20,
          .picture_db = 41.25,
          .plain_db = 12.5,
          .layers = {{"unet", "a.to_q", 11.5, true}, {"vae", "b", 38.25, false}}};
}

TEST(Calibration, ComesBackAsItWasWritten) {
  const TemporaryFolder folder;
  write_bytes(folder.path() / "c.json", to_json(example()).dump());
  const Calibration read = read_calibration(folder.path() / "c.json");
  EXPECT_EQ(to_json(read), to_json(example()));
  EXPECT_TRUE(read.keeps("a.to_q"));
  EXPECT_FALSE(read.keeps("b"));
  EXPECT_FALSE(read.keeps("c"));
  EXPECT_EQ(read.kept(), 1);
}

TEST(Calibration, BrokenOnesAreRefusedInOneLine) {
  struct Case {
    const char* path;
    Json value;  // null: taken away
    const char* says;
  };
  const std::vector<Case> cases{
      {"/fresco_calibration", nullptr, "not a calibration"},
      {"/fresco_calibration", 2, "expected version 1, got 2"},
      {"/fresco_calibration", "1", "\"fresco_calibration\""},
      {"/weights_hash", nullptr, "\"weights_hash\""},
      {"/prompts", "a", "\"prompts\""},
      {"/steps", 1.5, "\"steps\""},
      {"/picture_db", nullptr, "\"picture_db\""},
      {"/picture_db", "Infinity", "\"picture_db\""},
      {"/layers", nullptr, "\"layers\""},
      {"/layers", 3, "\"layers\""},
      {"/layers/0", 3, "\"layers\""},
      {"/layers/0/name", nullptr, "\"name\""},
      {"/layers/0/db", "x", "\"db\""},
      {"/layers/1/kept", 1, "\"kept\""},
  };
  for (const Case& c : cases) {
    Json text = to_json(example());
    const Json::json_pointer at(c.path);
    if (c.value.is_null()) {
      text[at.parent_pointer()].erase(at.back());
    } else {
      text[at] = c.value;
    }
    const Outcome outcome = outcome_of([&] { calibration_from(text, "file"); });
    EXPECT_EQ(outcome.status, 3) << c.path << " " << c.value;
    EXPECT_THAT(outcome.message, HasSubstr(c.says)) << c.path << " " << c.value;
    expect_one_line(outcome.message);
  }
  for (const Json& other : {Json(), Json(3), Json::array(), Json::object()})
    EXPECT_EQ(outcome_of([&] { calibration_from(other, "file"); }).status, 3) << other;
}

}  // namespace
}  // namespace fresco::checkpoint
