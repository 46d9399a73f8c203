// How a job ends when one of its processes does not go on: processes exchange once; then one does something else while
// the others go on to a second exchange.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "fresco/core/error.h"
#include "fresco/training/workers.h"
#include "tests/training/processes.h"

namespace fresco::training {
namespace {

using std::chrono::milliseconds;
using test::expect_processes_pass;
using test::is_worker;

constexpr milliseconds kTimeout(3000), kSilence(3000);

/// The message with which the second exchange ends here.
std::string message_of_end(const Workers& workers) {
  auto tensor = at::ones({1000});
  try {
    workers.all_reduce(tensor).wait();
  } catch (const ResourceError& error) {
    return error.what();
  }
  return "nothing";
}

Workers joined(milliseconds timeout = kTimeout) {
  auto workers = Workers::from_environment({.timeout = timeout, .silence = kSilence});
  workers.barrier();
  return workers;
}

TEST(JobEnds, NamingAKilledProcess) {
  if (!is_worker()) return expect_processes_pass(3, {1});
  const auto workers = joined();
  if (workers.rank() == 1) raise(SIGKILL);
  EXPECT_THAT(message_of_end(workers),
              testing::MatchesRegex("workers: process 1 of 3 \\(.*, pid [0-9]+\\) has stopped or does not answer; "
                                    "process [02] of 3 .* noticed: the sum of 0.0 MB: .*"));
  // And nothing further hangs.
  EXPECT_THAT(message_of_end(workers), testing::HasSubstr("process 1 of 3"));
}

TEST(JobEnds, NamingTheKilledFirstProcess) {
  if (!is_worker()) return expect_processes_pass(3, {0});
  const auto workers = joined();
  if (workers.rank() == 0) raise(SIGKILL);
  EXPECT_THAT(message_of_end(workers), testing::HasSubstr("process 0 of 3"));
}

TEST(JobEnds, NamingAProcessThatHangs) {
  if (!is_worker()) return expect_processes_pass(3, {2});
  const auto workers = joined(std::chrono::minutes(2));
  if (workers.rank() == 2) raise(SIGSTOP);
  EXPECT_THAT(
      message_of_end(workers),
      testing::MatchesRegex("workers: process 2 of 3 .* has stopped or does not answer; .* noticed: no sign for 3 s"));
}

TEST(JobEnds, NamingTheFirstProcessThatHangs) {
  if (!is_worker()) return expect_processes_pass(2, {0});
  const auto workers = joined(std::chrono::minutes(2));
  if (workers.rank() == 0) raise(SIGSTOP);
  EXPECT_THAT(message_of_end(workers), testing::HasSubstr("process 0 of 2"));
}

TEST(JobEnds, NamingAProcessThatDoesSomethingElse) {
  if (!is_worker()) return expect_processes_pass(2, {1});
  const auto workers = joined();
  if (workers.rank() == 1) std::this_thread::sleep_for(std::chrono::minutes(2));
  EXPECT_THAT(
      message_of_end(workers),
      testing::MatchesRegex("workers: process 1 of 2 .* has come to exchange 1 of 2; process 0 .* waited for it: .*"));
}

TEST(JobEnds, WithTheReasonOfAProcessThatGivesUp) {
  if (!is_worker()) return expect_processes_pass(3);
  const auto workers = joined();
  if (workers.rank() == 1) return workers.give_up("no space left on device");
  EXPECT_THAT(message_of_end(workers),
              testing::MatchesRegex("workers: process 1 of 3 .* gave up: no space left on device"));
}

TEST(JobEnds, WithTheReasonOfAFirstProcessThatFailsAlone) {
  if (!is_worker()) return expect_processes_pass(2);
  const auto workers = joined();
  const auto fail = [] { throw FormatError("cache", "truncated"); };
  if (workers.first()) {
    EXPECT_THROW(workers.first_alone(fail), FormatError);
  } else {
    EXPECT_THAT([&] { workers.first_alone(fail); }, testing::ThrowsMessage<ResourceError>(testing::MatchesRegex(
                                                        "workers: process 0 of 2 .* gave up: cache: truncated")));
  }
}

TEST(JobEnds, NamingAFirstProcessKilledWhileItWorksAlone) {
  if (!is_worker()) return expect_processes_pass(2, {0});
  const auto workers = joined();
  EXPECT_THAT([&] { workers.first_alone([] { raise(SIGKILL); }); },
              testing::ThrowsMessage<ResourceError>(testing::HasSubstr("process 0 of 2")));
}

// As when something else throws while gradients are on their way: this process must not wait for the timeout.
TEST(JobEnds, AtOnceWhereAnExchangeIsLeftBehind) {
  if (!is_worker()) return expect_processes_pass(2, {0});
  const auto start = std::chrono::steady_clock::now();
  {
    const auto workers = Workers::from_environment({.timeout = std::chrono::seconds(60)});
    workers.barrier();
    if (workers.rank() == 0) std::this_thread::sleep_for(std::chrono::minutes(2));
    workers.all_reduce(at::ones({1000}));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(40));
}

TEST(JobEnds, BeforeItBeginsWhenAProcessDoesNotCome) {
  if (!is_worker()) return expect_processes_pass(2, {}, {1});
  EXPECT_THAT([] { Workers::from_environment({.timeout = milliseconds(1500)}); },
              testing::ThrowsMessage<ResourceError>(
                  testing::MatchesRegex("workers: waited 2 s at 127.0.0.1:[0-9]+ for 1 of 2 processes: rank 1")));
}

TEST(JobEnds, BeforeItBeginsWhenTheFirstDoesNotCome) {
  if (!is_worker()) return expect_processes_pass(2, {}, {0});
  EXPECT_THAT([] { Workers::from_environment({.timeout = milliseconds(1500)}); },
              testing::ThrowsMessage<ResourceError>(testing::HasSubstr("process 0 of the job does not answer there")));
}

}  // namespace
}  // namespace fresco::training
