#pragma once
// One HTTP exchange at a time through libcurl: redirects followed by hand, so that the token never
// leaves the hub's host.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "fresco/core/error.h"
#include "fresco/core/observer.h"
#include "fresco/hub/settings.h"

struct curl_slist;

namespace fresco::hub {

/// No answer from the hub after all tries; a cached snapshot may do instead.
struct Unreachable : ResourceError {
  using ResourceError::ResourceError;
};

struct HttpReply {
  int status = 0;                              // 0: no answer came
  std::map<std::string, std::string> headers;  // lower-case names; those of redirects fill up the last reply's
  std::string body;                            // of errors and of replies that nobody sinks, at most 64 MiB
  std::optional<std::chrono::seconds> retry_after;
  std::string problem;  // why the exchange broke off; empty when it ended well
  bool reached = true;  // false when no connection came about at all
};

/// What takes the body of a 200 or 206; returning false breaks the exchange off.
using HttpSink = std::function<bool(const HttpReply& head, std::span<const char> bytes)>;

struct HttpRequest {
  std::string url;
  bool head = false;
  uint64_t from = 0;  // Range: bytes=from-, when not 0
  HttpSink sink;      // may be empty
};

class HttpClient {
 public:
  HttpClient(const Settings& settings, Observer& observer);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// One exchange, redirects included. Network trouble is in the reply. Errors: Interrupted, and what
  /// the sink throws.
  HttpReply exchange(const HttpRequest& request);
  /// exchange() until an answer is final: not 429, not 5xx, not broken off. A hub that cannot be
  /// reached at all is tried twice only, since a machine without network should say so soon. Errors:
  /// Unreachable, naming `where`.
  HttpReply ask(const HttpRequest& request, const std::string& where);
  /// Sleeps before try number `tries_done` + 1, as long as the server asked for or longer each time.
  /// Errors: Unreachable naming `where` when all `tries` are used up or the wait would be too long;
  /// Interrupted.
  void pause(int tries_done, int tries, const HttpReply& reply, const std::string& where);

 private:
  struct Exchange;
  void set_up(const HttpRequest& request, const std::string& url, const curl_slist* headers);
  HttpReply exchange_once(const HttpRequest& request, const std::string& url, std::string& redirect);

  const Settings& settings_;
  Observer& observer_;
  void* curl_;
};

/// Whether another try may bring a better answer.
bool is_worth_another_try(const HttpReply& reply);

/// "HTTP 503", or what broke.
std::string describe(const HttpReply& reply);

/// Percent-encoded as one step of a path ("/" too when keep_slashes is false).
std::string url_encoded(std::string_view text, bool keep_slashes);

}  // namespace fresco::hub
