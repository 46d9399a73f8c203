// Processes that do not answer as they should. That one which does measures is tested with the program, in tests/cli.
#include "fresco/evaluation/apart.h"

#include <gmock/gmock.h>

#include <chrono>

#include "fresco/core/error.h"

namespace fresco::evaluation {
namespace {

using ::testing::HasSubstr;

// A process that does what `script` says, as the program would behind its end of the connection.
std::string failure_of(const std::string& script) {
  try {
    measure_apart({"/bin/sh", "-c", script}, {}, no_observer());
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(MeasureApart, TellsHowAProcessEnded) {
  EXPECT_THAT(failure_of("kill -9 $$"), HasSubstr("signal 9 (Killed); was there enough memory?"));
  EXPECT_THAT(failure_of("kill -6 $$"), HasSubstr("signal 6"));
  EXPECT_THAT(failure_of("exit 3"), HasSubstr("status 3 and no answer"));
  EXPECT_THAT(failure_of("true"), HasSubstr("status 0 and no answer"));
}

TEST(MeasureApart, SaysThatAProgramIsNotThere) {
  EXPECT_THROW(measure_apart({"/no/such/program"}, {}, no_observer()), ResourceError);
}

TEST(MeasureApart, PassesErrorsOnAsTheyWere) {
  const auto answer = [](int status) {
    return "echo '{\"event\":\"error\",\"status\":" + std::to_string(status) +
           ",\"where\":\"--steps\",\"problem\":\"too many\"}' >&3";
  };
  EXPECT_EQ(failure_of(answer(2)), "--steps: too many");
  EXPECT_THROW(measure_apart({"/bin/sh", "-c", answer(2)}, {}, no_observer()), InputError);
  EXPECT_THROW(measure_apart({"/bin/sh", "-c", answer(3)}, {}, no_observer()), FormatError);
  EXPECT_THROW(measure_apart({"/bin/sh", "-c", answer(4)}, {}, no_observer()), ResourceError);
  EXPECT_THROW(measure_apart({"/bin/sh", "-c", answer(130)}, {}, no_observer()), Interrupted);
}

TEST(MeasureApart, RelaysWhatIsReported) {
  struct Seen : Observer {
    std::string text;
    void on_step(const Step& step) override {
      text += std::to_string(step.index) + "/" + std::to_string(step.of) + " ";
    }
    void on_warning(std::string_view warning) override { text += warning; }
  } seen;
  const std::string script =
      "echo '{\"event\":\"step\",\"index\":1,\"of\":4,\"seconds\":0.5}' >&3; echo '{\"event\":\"news\"}' >&3; "
      "echo '{\"event\":\"warning\",\"text\":\"cut\"}' >&3";
  EXPECT_THROW(measure_apart({"/bin/sh", "-c", script}, {}, seen), ResourceError);
  EXPECT_EQ(seen.text, "1/4 cut");
}

TEST(MeasureApart, EndsTheProcessWhenAskedToStop) {
  struct Impatient : Observer {
    bool cancelled() const override { return true; }
  } impatient;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(measure_apart({"/bin/sleep", "60"}, {}, impatient), Interrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST(ServeMeasurement, RefusesWithoutAComparison) {
  EXPECT_THROW(serve_measurement([] { return false; }), InputError);
}

}  // namespace
}  // namespace fresco::evaluation
