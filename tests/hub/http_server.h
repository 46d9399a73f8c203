#pragma once
// An HTTP server on 127.0.0.1 that answers as a test tells it, and breaks connections where it is told to.
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace fresco::hub {

struct ServerRequest {
  std::string method;
  std::string target;                          // path and query
  std::map<std::string, std::string> headers;  // lower-case names
  std::string header(const std::string& name) const { return headers.contains(name) ? headers.at(name) : ""; }
};

struct ServerReply {
  int status = 200;
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  std::optional<size_t> break_after = {};  // closes the connection after so many bytes of the body
  std::optional<std::string> length = {};  // another Content-Length than the body's; "" sends none
};

class HttpServer {
 public:
  /// handler is called from the server's threads, one request at a time.
  explicit HttpServer(std::function<ServerReply(const ServerRequest&)> handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string address() const;  // http://127.0.0.1:port
  std::vector<ServerRequest> requests() const;
  /// Requests whose target contains `part`.
  std::vector<ServerRequest> requests(const std::string& part) const;

 private:
  void accept_all();
  void serve(int connection);

  std::function<ServerReply(const ServerRequest&)> handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<ServerRequest> requests_;
  std::thread acceptor_;
  std::vector<std::thread> connections_;
};

}  // namespace fresco::hub
