#include "fresco/evaluation/apart.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "fresco/core/error.h"
#include "fresco/evaluation/line_socket.h"
#include "fresco/evaluation/wire.h"

extern char** environ;

namespace fresco::evaluation {
namespace {

constexpr int kAskEvery = 100;  // milliseconds: how soon a wish to stop is heard

[[noreturn]] void throw_cannot_start(int error) {
  throw ResourceError("measuring process", fmt::format("cannot start: {}", std::strerror(error)));
}

// A started process; a forgotten one is ended and waited for.
class Child {
 public:
  Child(const std::vector<std::string>& program, int socket) {
    std::vector<char*> words;
    for (const std::string& word : program) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, socket, kServedDescriptor);
    const int error = ::posix_spawn(&id_, words[0], &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw_cannot_start(error);
  }
  ~Child() {
    if (!running_) return;
    ::kill(id_, SIGKILL);
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void interrupt() const { ::kill(id_, SIGINT); }
  /// Its status as waitpid() tells it.
  int wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    running_ = false;
    return status;
  }

 private:
  pid_t id_ = -1;
  bool running_ = true;
};

[[noreturn]] void rethrow(const Json& error) {
  const auto where = error.at("where").get<std::string>(), problem = error.at("problem").get<std::string>();
  switch (static_cast<ExitStatus>(error.at("status").get<int>())) {
    case ExitStatus::input:
      throw InputError(where, problem);
    case ExitStatus::format:
      throw FormatError(where, problem);
    case ExitStatus::interrupted:
      throw Interrupted();
    default:
      throw ResourceError(where, problem);
  }
}

// Takes the other process's lines until it has answered.
class Answer {
 public:
  explicit Answer(Observer& observer) : observer_(observer) {}

  void take(const Json& line) {
    const auto& event = line.at("event").get_ref<const std::string&>();
    if (event == "step") observer_.on_step({line.at("index"), line.at("of"), line.at("seconds")});
    if (event == "stage start") observer_.on_stage_start(line.at("name").get_ref<const std::string&>());
    if (event == "stage") observer_.on_stage(line.at("name").get_ref<const std::string&>(), line.at("seconds"));
    if (event == "transfer")
      observer_.on_transfer({line.at("what").get_ref<const std::string&>(), line.at("done"), line.at("total")});
    if (event == "warning") observer_.on_warning(line.at("text").get_ref<const std::string&>());
    if (event == "picture") pictures_.push_back(picture_from_json(line.at("picture")));
    if (event == "error") error_ = line;
    if (event == "measured") measured_ = measurement_from_json(line.at("measurement"));
  }

  Measurement result(int status) {
    if (!error_.is_null()) rethrow(error_);
    if (measured_) {
      measured_->pictures = std::move(pictures_);
      return std::move(*measured_);
    }
    // The kernel ends processes with SIGKILL when memory runs out.
    const std::string how =
        WIFSIGNALED(status)
            ? fmt::format("was ended by signal {} ({}){}", WTERMSIG(status), ::strsignal(WTERMSIG(status)),
                          WTERMSIG(status) == SIGKILL ? "; was there enough memory?" : "")
            : fmt::format("ended with status {} and no answer", WEXITSTATUS(status));
    throw ResourceError("measuring process", how);
  }

 private:
  Observer& observer_;
  std::vector<image::Picture> pictures_;
  std::optional<Measurement> measured_;
  Json error_;
};

void listen(LineSocket& socket, const Child& child, Answer& answer, Observer& observer) {
  bool asked_to_stop = false;
  for (bool open = true; open;) {
    open = socket.read_lines(kAskEvery, [&](const std::string& line) { answer.take(Json::parse(line)); });
    if (asked_to_stop || !observer.cancelled()) continue;
    child.interrupt();
    asked_to_stop = true;
  }
}

}  // namespace

Measurement measure_apart(const std::vector<std::string>& program, const MeasureJob& job, Observer& observer) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw_cannot_start(errno);
  LineSocket ours(ends[0]);
  std::optional<LineSocket> theirs(ends[1]);
  Child child(program, ends[1]);
  theirs.reset();
  Json order = to_json(job);
  order["parent"] = ::getpid();
  ours.write_line(order);
  Answer answer(observer);
  listen(ours, child, answer, observer);
  const int status = child.wait();
  check_cancelled(observer);
  return answer.result(status);
}

}  // namespace fresco::evaluation
