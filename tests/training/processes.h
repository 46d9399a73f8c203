#pragma once
// Tests that are programs of several processes: a test starts itself again as often as it asks, on the loopback, and
// what it expects there is checked in every one of them.
#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace fresco::test {

struct Ended {
  int status = 0;      // exit code, or minus the signal
  std::string output;  // standard output and error
};

/// True in a process that run_processes() started.
bool is_worker();

/// Runs the current test in `count` processes under torchrun's variables, until all but `lost` have ended (those are
/// ended then), and at most for `limit`. absent: ranks that are never started.
std::vector<Ended> run_processes(int count, const std::set<int>& lost = {}, const std::set<int>& absent = {},
                                 std::chrono::seconds limit = std::chrono::seconds(100));

/// run_processes, and that every process but the lost ones and the absent passed.
void expect_processes_pass(int count, const std::set<int>& lost = {}, const std::set<int>& absent = {});

}  // namespace fresco::test
