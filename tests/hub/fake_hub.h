#pragma once
// A hub with one model, served from memory: listing and files, with Range, and a place to spoil the answers.
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "fresco/core/observer.h"
#include "fresco/hub/settings.h"
#include "tests/hub/http_server.h"

namespace fresco::hub {

/// Content that no two positions share, so that a misplaced byte changes the hash.
std::string test_bytes(size_t count, uint32_t seed);

std::string git_blob_id(const std::string& content);

class FakeHub {
 public:
  FakeHub();

  /// "large" files are listed with a SHA-256, others with git's blob id.
  void add(const std::string& path, std::string content, bool large = false);
  /// A diffusers folder with small networks; extra files that nobody should fetch.
  void add_model();
  std::string listing() const;
  std::string etag(const std::string& path) const;
  /// The ordinary answer to a request.
  ServerReply answer(const ServerRequest& request) const;

  Settings settings(const std::filesystem::path& cache) const;

  std::string id = "maker/shapes";
  std::string commit = std::string(39, 'a') + "1";
  std::map<std::string, std::string> files;
  std::set<std::string> large_files;
  /// Looks at each request and the answer it would get, and may change the answer.
  std::function<void(const ServerRequest&, ServerReply&)> spoil;
  HttpServer server;
};

/// A folder of its own below the temporary one, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Remembers what it was told; cancels when a transfer has brought `cancel_after` bytes.
class RecordingObserver : public Observer {
 public:
  void on_transfer(const Transfer& transfer) override;
  void on_warning(std::string_view text) override { warnings.emplace_back(text); }
  bool cancelled() const override { return largest_done >= cancel_after; }

  std::vector<std::string> warnings;
  std::map<std::string, uint64_t> done;
  uint64_t largest_done = 0;
  uint64_t cancel_after = UINT64_MAX;
};

}  // namespace fresco::hub
