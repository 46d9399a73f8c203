#include "fresco/evaluation/line_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace fresco::evaluation {

LineSocket::~LineSocket() { ::close(descriptor_); }

bool LineSocket::write_line(const Json& value) {
  const std::string line = value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  for (size_t sent = 0; sent < line.size();) {
    const ssize_t count = ::send(descriptor_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    sent += static_cast<size_t>(count);
  }
  return true;
}

bool LineSocket::read_lines(int milliseconds, const std::function<void(const std::string&)>& take) {
  pollfd waiting{descriptor_, POLLIN, 0};
  if (::poll(&waiting, 1, milliseconds) <= 0) return true;
  std::array<char, 65536> block;
  const ssize_t count = ::recv(descriptor_, block.data(), block.size(), 0);
  if (count < 0 && errno == EINTR) return true;
  if (count <= 0) return false;
  const size_t old = held_.size();
  held_.append(block.data(), static_cast<size_t>(count));
  size_t begin = 0;
  for (size_t end = held_.find('\n', old); end != std::string::npos; end = held_.find('\n', begin)) {
    take(held_.substr(begin, end - begin));
    begin = end + 1;
  }
  held_.erase(0, begin);
  return true;
}

std::string LineSocket::read_line() {
  std::string line;
  while (line.empty() && read_lines(-1, [&](const std::string& got) { line = got; })) {
  }
  return line;
}

}  // namespace fresco::evaluation
