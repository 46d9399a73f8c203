#include "tests/hub/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace fresco::hub {
namespace {

constexpr int kPollMilliseconds = 20;

std::string read_head(int connection) {
  std::string text;
  char block[4096];
  while (text.find("\r\n\r\n") == text.npos) {
    const ssize_t got = ::recv(connection, block, sizeof(block), 0);
    if (got <= 0) return {};
    text.append(block, static_cast<size_t>(got));
  }
  return text;
}

ServerRequest parse(const std::string& text) {
  ServerRequest request;
  size_t at = text.find("\r\n");
  const std::string line = text.substr(0, at);
  const size_t space = line.find(' ');
  request.method = line.substr(0, space);
  request.target = line.substr(space + 1, line.rfind(' ') - space - 1);
  for (at += 2; text.compare(at, 2, "\r\n") != 0;) {
    const size_t end = text.find("\r\n", at);
    const size_t colon = text.find(':', at);
    std::string name = text.substr(at, colon - at);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    request.headers[name] = text.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  return request;
}

void send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

void send_reply(int connection, const ServerRequest& request, const ServerReply& reply) {
  std::string head = fmt::format("HTTP/1.1 {} Told\r\nConnection: close\r\n", reply.status);
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  const std::string length = reply.length.value_or(std::to_string(reply.body.size()));
  if (!length.empty() && !reply.headers.contains("Content-Length"))
    head += fmt::format("Content-Length: {}\r\n", length);
  send_all(connection, head + "\r\n");
  if (request.method == "HEAD") return;
  send_all(connection, std::string_view(reply.body).substr(0, reply.break_after.value_or(reply.body.size())));
}

}  // namespace

HttpServer::HttpServer(std::function<ServerReply(const ServerRequest&)> handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0)
    throw std::runtime_error("cannot listen on 127.0.0.1");
  ::getsockname(listener_, generic, &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  acceptor_.join();
  for (auto& connection : connections_) connection.join();
  ::close(listener_);
}

void HttpServer::accept_all() {
  while (!stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, kPollMilliseconds) <= 0) continue;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) connections_.emplace_back([this, connection] { serve(connection); });
  }
}

void HttpServer::serve(int connection) {
  const std::string text = read_head(connection);
  if (!text.empty()) {
    const ServerRequest request = parse(text);
    ServerReply reply;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      reply = handler_(request);
    }
    send_reply(connection, request, reply);
  }
  ::shutdown(connection, SHUT_WR);
  ::close(connection);
}

std::string HttpServer::address() const { return fmt::format("http://127.0.0.1:{}", port_); }

std::vector<ServerRequest> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<ServerRequest> HttpServer::requests(const std::string& part) const {
  auto all = requests();
  std::erase_if(all, [&](const auto& request) { return request.target.find(part) == std::string::npos; });
  return all;
}

}  // namespace fresco::hub
