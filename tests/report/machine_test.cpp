#include "fresco/report/machine.h"

#include <gmock/gmock.h>

namespace fresco::report {
namespace {

TEST(Machine, IsDescribed) {
  const Machine machine = this_machine();
  EXPECT_GE(machine.processors, 1);
  EXPECT_GT(machine.memory_bytes, 100u << 20);
  EXPECT_FALSE(machine.system.empty());
  EXPECT_THAT(time_now(), ::testing::MatchesRegex("20[0-9-]*T[0-9:]*Z"));
}

}  // namespace
}  // namespace fresco::report
