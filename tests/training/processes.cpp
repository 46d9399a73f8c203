#include "tests/training/processes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

namespace fresco::test {
namespace {

constexpr const char* kMark = "FRESCO_TEST_WORKER";

int free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool bound = bind(descriptor, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(descriptor);
  return bound ? ntohs(address.sin_port) : 0;
}

std::string test_name() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  return std::string(info->test_suite_name()) + "." + info->name();
}

struct Child {
  pid_t process = 0;  // 0: not started, or ended
  int output = -1;
};

std::vector<std::string> variables(int rank, int count, int port) {
  std::vector<std::string> all = {std::string(kMark) + "=1",
                                  "RANK=" + std::to_string(rank),
                                  "LOCAL_RANK=" + std::to_string(rank),
                                  "WORLD_SIZE=" + std::to_string(count),
                                  "MASTER_ADDR=127.0.0.1",
                                  "MASTER_PORT=" + std::to_string(port)};
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  return all;
}

Child start(std::vector<std::string> environment) {
  std::vector<std::string> words = {"/proc/self/exe", "--gtest_filter=" + test_name(), "--gtest_brief=1"};
  std::vector<char*> arguments, settings;
  for (auto& word : words) arguments.push_back(word.data());
  for (auto& entry : environment) settings.push_back(entry.data());
  arguments.push_back(nullptr);
  settings.push_back(nullptr);
  Child child;
  child.output = memfd_create("output", 0);
  child.process = fork();
  if (child.process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(child.output, STDOUT_FILENO);
    dup2(child.output, STDERR_FILENO);
    execve("/proc/self/exe", arguments.data(), settings.data());
    _exit(127);
  }
  return child;
}

std::string text_in(int descriptor) {
  std::string text(static_cast<size_t>(lseek(descriptor, 0, SEEK_END)), '\0');
  const ssize_t got = pread(descriptor, text.data(), text.size(), 0);
  close(descriptor);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

/// Notes the end of a child that has ended.
void look_after(Child& child, Ended& end, bool wait) {
  int status = 0;
  if (child.process == 0 || waitpid(child.process, &status, wait ? 0 : WNOHANG) != child.process) return;
  child.process = 0;
  end.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

bool is_worker() { return std::getenv(kMark) != nullptr; }

std::vector<Ended> run_processes(int count, const std::set<int>& lost, const std::set<int>& absent,
                                 std::chrono::seconds limit) {
  std::vector<Child> children(count);
  std::vector<Ended> ends(count);
  const int port = free_port();
  for (int rank = 0; rank < count; ++rank) {
    if (!absent.contains(rank)) children[rank] = start(variables(rank, count, port));
  }
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (bool going = true; going && std::chrono::steady_clock::now() < deadline;) {
    going = false;
    for (int rank = 0; rank < count; ++rank) {
      look_after(children[rank], ends[rank], false);
      going = going || (children[rank].process != 0 && !lost.contains(rank));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (int rank = 0; rank < count; ++rank) {
    if (children[rank].process != 0) kill(children[rank].process, SIGKILL);
    look_after(children[rank], ends[rank], true);
    if (children[rank].output >= 0) ends[rank].output = text_in(children[rank].output);
  }
  return ends;
}

void expect_processes_pass(int count, const std::set<int>& lost, const std::set<int>& absent) {
  const auto ends = run_processes(count, lost, absent);
  for (int rank = 0; rank < count; ++rank) {
    if (lost.contains(rank) || absent.contains(rank)) continue;
    EXPECT_EQ(ends[rank].status, 0) << "process " << rank << ":\n" << ends[rank].output;
    EXPECT_EQ(ends[rank].output.find("[c10d]"), std::string::npos) << "process " << rank << ":\n" << ends[rank].output;
  }
}

}  // namespace fresco::test
