#include "fresco/hub/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <thread>

#include "fresco/core/ascii.h"
#include "fresco/core/names.h"

namespace fresco::hub {
namespace {

constexpr int kMostRedirects = 10;
constexpr int kTriesToReach = 2;
constexpr size_t kLargestBody = 64 << 20;
constexpr size_t kLargestHeaders = 256 << 10;
constexpr long kReceiveBuffer = 256 << 10;
constexpr long kStallBytesPerSecond = 1024;
constexpr auto kNap = std::chrono::milliseconds(50);

void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw ResourceError("network", curl_easy_strerror(started));
}

/// "http://host:8080" of an address: what may see a token sent to it.
std::string origin(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  std::string text;
  for (const auto part : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}) {
    char* value = nullptr;
    if (curl_url_get(parsed.get(), part, &value, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    text += std::string(value) + " ";
    curl_free(value);
  }
  return lower_ascii(std::move(text));
}

HttpReply broken(std::string problem) {
  HttpReply reply;
  reply.problem = std::move(problem);
  return reply;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

/// What libcurl's callbacks see. They may not throw through C: what they catch is thrown again when
/// libcurl is done.
struct HttpClient::Exchange {
  const HttpRequest& request;
  Observer& observer;
  CURL* curl;
  HttpReply reply;
  size_t header_bytes = 0;
  std::exception_ptr thrown;

  template <typename Work>
  bool guarded(Work work) noexcept {
    try {
      return work();
    } catch (...) {
      thrown = std::current_exception();
      return false;
    }
  }

  static size_t on_header(const char* bytes, size_t, size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    return exchange.guarded([&] { return exchange.take_header({bytes, count}); }) ? count : 0;
  }

  static size_t on_body(const char* bytes, size_t, size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    return exchange.guarded([&] { return exchange.take_body({bytes, count}); }) ? count : 0;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& exchange = *static_cast<Exchange*>(self);
    return exchange.guarded([&] { return !exchange.observer.cancelled(); }) ? 0 : 1;
  }

  bool take_header(std::string_view line) {
    header_bytes += line.size();
    if (line.starts_with("HTTP/")) reply.headers.clear();
    const size_t colon = line.find(':');
    if (colon == line.npos) return header_bytes <= kLargestHeaders;
    const std::string name = lower_ascii(std::string(line.substr(0, colon)));
    const auto value = line.substr(std::min(line.find_first_not_of(" \t", colon + 1), line.size()));
    reply.headers[name] = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
    return header_bytes <= kLargestHeaders;
  }

  bool take_body(std::span<const char> bytes) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<int>(status);
    if (request.sink && (status == 200 || status == 206)) return request.sink(reply, bytes);
    if (is_redirect(reply.status)) return true;
    reply.body.append(bytes.data(), bytes.size());
    return reply.body.size() <= kLargestBody;
  }
};

HttpClient::HttpClient(const Settings& settings, Observer& observer) : settings_(settings), observer_(observer) {
  start_curl();
  curl_ = curl_easy_init();
  if (curl_ == nullptr) throw ResourceError("network", "cannot start libcurl");
}

HttpClient::~HttpClient() { curl_easy_cleanup(static_cast<CURL*>(curl_)); }

void HttpClient::set_up(const HttpRequest& request, const std::string& url, const curl_slist* headers) {
  CURL* curl = static_cast<CURL*>(curl_);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, fmt::format("fresco/{}", version()).c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NOBODY, request.head ? 1L : 0L);
  if (request.from > 0) curl_easy_setopt(curl, CURLOPT_RANGE, fmt::format("{}-", request.from).c_str());
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kReceiveBuffer);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings_.connect_limit.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings_.stall_limit.count()));
}

HttpReply HttpClient::exchange_once(const HttpRequest& request, const std::string& url, std::string& redirect) {
  CURL* curl = static_cast<CURL*>(curl_);
  Exchange exchange{.request = request, .observer = observer_, .curl = curl, .reply = {}, .thrown = {}};
  curl_easy_reset(curl);
  curl_slist* list = curl_slist_append(nullptr, "Accept-Encoding: identity");
  if (!settings_.token.empty() && origin(url) == origin(settings_.endpoint))
    list = curl_slist_append(list, ("Authorization: Bearer " + settings_.token).c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list, &curl_slist_free_all);
  set_up(request, url, headers.get());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Exchange::on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);

  const CURLcode code = curl_easy_perform(curl);
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);
  check_cancelled(observer_);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  exchange.reply.status = static_cast<int>(status);
  if (code != CURLE_OK) exchange.reply.problem = curl_easy_strerror(code);
  double connect_seconds = 0;
  long new_connections = 0;
  curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME, &connect_seconds);
  curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &new_connections);
  exchange.reply.reached = code == CURLE_OK || connect_seconds > 0 || (status > 0 && new_connections == 0);
  curl_off_t wait = 0;
  if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
    exchange.reply.retry_after = std::chrono::seconds(wait);
  const char* next = nullptr;
  if (is_redirect(exchange.reply.status)) curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next);
  redirect = next == nullptr ? "" : next;
  return std::move(exchange.reply);
}

HttpReply HttpClient::exchange(const HttpRequest& request) {
  std::string url = request.url;
  std::map<std::string, std::string> seen;
  for (int i = 0; i <= kMostRedirects; ++i) {
    std::string next;
    HttpReply reply = exchange_once(request, url, next);
    seen.insert(reply.headers.begin(), reply.headers.end());
    if (next.empty()) {
      reply.headers.insert(seen.begin(), seen.end());
      return reply;
    }
    if (url.starts_with("https://") && !next.starts_with("https://"))
      return broken(fmt::format("redirected from https to {}", printable(next)));
    url = next;
  }
  return broken(fmt::format("more than {} redirects", kMostRedirects));
}

bool is_worth_another_try(const HttpReply& reply) {
  return !reply.problem.empty() || reply.status == 0 || reply.status == 408 || reply.status == 429 ||
         reply.status >= 500;
}

std::string describe(const HttpReply& reply) {
  return reply.problem.empty() ? fmt::format("HTTP {}", reply.status) : reply.problem;
}

HttpReply HttpClient::ask(const HttpRequest& request, const std::string& where) {
  for (int tries = 1;; ++tries) {
    HttpReply reply = exchange(request);
    if (!is_worth_another_try(reply)) return reply;
    pause(tries, reply.reached ? settings_.tries : std::min(settings_.tries, kTriesToReach), reply, where);
  }
}

void HttpClient::pause(int tries_done, int tries, const HttpReply& reply, const std::string& where) {
  if (tries_done >= tries)
    throw Unreachable(where, fmt::format("{} after {} tries at {}", describe(reply), tries_done, settings_.endpoint));
  if (reply.retry_after && *reply.retry_after > settings_.longest_wait)
    throw Unreachable(where, fmt::format("{}: {} asks to wait {} s before the next request", describe(reply),
                                         settings_.endpoint, reply.retry_after->count()));
  std::chrono::milliseconds wait = settings_.first_pause * (1 << std::min(tries_done - 1, 20));
  wait = std::min(wait, settings_.longest_pause);
  if (reply.retry_after) wait = std::max(wait, std::chrono::milliseconds(*reply.retry_after));
  const auto end = std::chrono::steady_clock::now() + wait;
  do {
    check_cancelled(observer_);
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(kNap, end - std::chrono::steady_clock::now()));
  } while (std::chrono::steady_clock::now() < end);
}

std::string url_encoded(std::string_view text, bool keep_slashes) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~' || (keep_slashes && c == '/');
    if (plain)
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace fresco::hub
