#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "fresco/core/error.h"
#include "fresco/training/job_place.h"

namespace fresco::training {
namespace {

constexpr const char* kNames[] = {"RANK",
                                  "WORLD_SIZE",
                                  "LOCAL_RANK",
                                  "MASTER_ADDR",
                                  "MASTER_PORT",
                                  "SLURM_PROCID",
                                  "SLURM_NTASKS",
                                  "SLURM_LOCALID",
                                  "OMPI_COMM_WORLD_RANK",
                                  "OMPI_COMM_WORLD_SIZE",
                                  "OMPI_COMM_WORLD_LOCAL_RANK",
                                  "TORCHELASTIC_USE_AGENT_STORE",
                                  "TORCHELASTIC_RESTART_COUNT"};

/// The place that such an environment tells.
JobPlace place_in(const std::map<std::string, std::string>& environment) {
  for (const char* name : kNames) unsetenv(name);
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  return job_place_from_environment();
}

TEST(JobPlace, IsOneProcessWithoutALauncher) {
  for (const auto& environment : {std::map<std::string, std::string>{},
                                  {{"MASTER_ADDR", "node1"}},
                                  {{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}},
                                  {{"SLURM_NTASKS", "8"}},
                                  {{"RANK", "0"}, {"WORLD_SIZE", "1"}}}) {
    EXPECT_EQ(place_in(environment).size, 1);
  }
}

TEST(JobPlace, IsReadAsLaunchersTellIt) {
  const JobPlace torchrun = place_in({{"RANK", "5"},
                                      {"WORLD_SIZE", "16"},
                                      {"LOCAL_RANK", "1"},
                                      {"MASTER_ADDR", "node1"},
                                      {"MASTER_PORT", "4000"},
                                      {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                      {"TORCHELASTIC_RESTART_COUNT", "2"}});
  EXPECT_EQ(torchrun.rank, 5);
  EXPECT_EQ(torchrun.size, 16);
  EXPECT_EQ(torchrun.local_rank, 1);
  EXPECT_EQ(torchrun.host, "node1");
  EXPECT_EQ(torchrun.port, 4000);
  EXPECT_TRUE(torchrun.launcher_store);
  EXPECT_EQ(torchrun.attempt, 2);
  EXPECT_FALSE(torchrun.loopback());

  const JobPlace slurm =
      place_in({{"SLURM_PROCID", "3"}, {"SLURM_NTASKS", "4"}, {"SLURM_LOCALID", "1"}, {"MASTER_ADDR", "127.0.0.1"}});
  EXPECT_EQ(slurm.rank, 3);
  EXPECT_EQ(slurm.size, 4);
  EXPECT_EQ(slurm.port, 29500);
  EXPECT_TRUE(slurm.loopback());

  const JobPlace mpi =
      place_in({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"MASTER_ADDR", "localhost"}});
  EXPECT_EQ(mpi.rank, 1);
  EXPECT_EQ(mpi.size, 2);
}

TEST(JobPlace, SaysWhatIsWrong) {
  const struct {
    std::map<std::string, std::string> environment;
    const char* message;
  } cases[] = {
      {{{"RANK", "0"}}, "WORLD_SIZE: expected a number from 1 to 1048576, got nothing"},
      {{{"WORLD_SIZE", "2"}}, "RANK: expected a number from 0 to 1, got nothing"},
      {{{"RANK", "2"}, {"WORLD_SIZE", "2"}}, "RANK: expected a number from 0 to 1, got \"2\""},
      {{{"RANK", "-1"}, {"WORLD_SIZE", "2"}}, "got \"-1\""},
      {{{"RANK", "one"}, {"WORLD_SIZE", "2"}}, "got \"one\""},
      {{{"RANK", "0"}, {"WORLD_SIZE", "2"}}, "MASTER_ADDR: is not set, though WORLD_SIZE tells of 2 processes"},
      {{{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "70000"}},
       "MASTER_PORT: expected a number from 1 to 65535"},
      {{{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "2"}},
       "MASTER_ADDR: is not set, though SLURM_NTASKS tells of 2 processes"},
  };
  for (const auto& [environment, message] : cases) {
    EXPECT_THAT([&] { place_in(environment); }, testing::ThrowsMessage<InputError>(testing::HasSubstr(message)));
  }
}

}  // namespace
}  // namespace fresco::training
