#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <new>

#include "fresco/core/error.h"
#include "fresco/evaluation/apart.h"
#include "fresco/evaluation/line_socket.h"
#include "fresco/evaluation/wire.h"

namespace fresco::evaluation {
namespace {

class SocketObserver : public Observer {
 public:
  SocketObserver(LineSocket& socket, const std::function<bool()>& cancelled) : socket_(socket), cancelled_(cancelled) {}
  void on_stage_start(std::string_view name) override { tell("stage start", {{"name", name}}); }
  void on_stage(std::string_view name, double seconds) override {
    tell("stage", {{"name", name}, {"seconds", seconds}});
  }
  void on_transfer(const Transfer& transfer) override {
    tell("transfer", {{"what", transfer.what}, {"done", transfer.done}, {"total", transfer.total}});
  }
  void on_step(const Step& step) override {
    tell("step", {{"index", step.index}, {"of", step.of}, {"seconds", step.seconds}});
  }
  void on_warning(std::string_view text) override { tell("warning", {{"text", text}}); }
  bool cancelled() const override { return cancelled_(); }

  void tell(const char* event, Json facts) {
    facts["event"] = event;
    socket_.write_line(facts);
  }

 private:
  LineSocket& socket_;
  const std::function<bool()>& cancelled_;
};

// Whoever asked may end first, by a signal that nothing can catch.
void end_with_parent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(static_cast<int>(ExitStatus::interrupted));
}

bool is_socket(int descriptor) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

void answer(LineSocket& socket, SocketObserver& observer) {
  const Json order = Json::parse(socket.read_line());
  end_with_parent(order.at("parent").get<pid_t>());
  const Measurement measurement = measure(job_from_json(order), observer);
  for (const auto& picture : measurement.pictures) observer.tell("picture", {{"picture", picture_to_json(picture)}});
  observer.tell("measured", {{"measurement", to_json(measurement)}});
}

Json error_json(ExitStatus status, const std::string& where, const std::string& problem) {
  return {{"status", static_cast<int>(status)}, {"where", where}, {"problem", problem}};
}

}  // namespace

void serve_measurement(const std::function<bool()>& cancelled) {
  if (!is_socket(kServedDescriptor))
    throw InputError("measuring process", "expected to be started by a comparison, got no connection to one");
  LineSocket socket(kServedDescriptor);
  SocketObserver observer(socket, cancelled);
  try {
    answer(socket, observer);
  } catch (const Error& error) {
    const std::string text = error.what();
    const size_t skipped = error.where().empty() ? 0 : error.where().size() + 2;  // "where: "
    observer.tell("error", error_json(error.exit_status(), error.where(), text.substr(skipped)));
  } catch (const std::bad_alloc&) {
    observer.tell("error", error_json(ExitStatus::resource, "memory", "not enough; a smaller size needs less"));
  } catch (const std::exception& error) {
    const std::string text = error.what();
    observer.tell("error", error_json(ExitStatus::resource, "measuring process",
                                      printable(text.substr(0, text.find('\n')), 300)));
  }
}

}  // namespace fresco::evaluation
