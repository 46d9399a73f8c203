#include "fresco/data/fetch_shard.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <fstream>

#include "fresco/core/error.h"
#include "fresco/core/sha256.h"
#include "fresco/data/source.h"
#include "fresco/hub/cache.h"
#include "fresco/hub/http.h"
#include "fresco/hub/settings.h"

namespace fresco::data {
namespace {

namespace fs = std::filesystem;

constexpr int kPartialContent = 206;
constexpr int kRangeNotSatisfiable = 416;

/// The part of the address that people know it by.
std::string file_name(const std::string& url) {
  const std::string path = url.substr(0, url.find_first_of("?#"));
  return path.substr(path.rfind('/') + 1);
}

/// Messages name the address's own host; the hub's token stays with the hub.
hub::Settings settings_for(const std::string& url) {
  hub::Settings settings = hub::settings_from_environment();
  if (!url.starts_with(settings.endpoint + "/")) settings.token.clear();
  settings.endpoint = url.substr(0, url.find('/', url.find("//") + 2));
  return settings;
}

uint64_t announced_size(const hub::HttpReply& head) {
  uint64_t size = 0;
  const auto found = head.headers.find("content-length");
  if (found != head.headers.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), size);
  return size;
}

class ShardDownload {
 public:
  ShardDownload(const std::string& url, fs::path part, Observer& observer)
      : url_(url), part_(std::move(part)), settings_(settings_for(url)), observer_(observer) {
    std::error_code none;
    done_ = fs::exists(part_, none) ? fs::file_size(part_, none) : 0;
  }

  void run() {
    if (settings_.offline) throw ResourceError(url_, "not in the cache, and HF_HUB_OFFLINE forbids the network");
    hub::HttpClient client(settings_, observer_);
    for (int tries = 1;; ++tries) {
      const uint64_t before = done_;
      const hub::HttpReply reply = client.exchange({.url = url_, .from = done_, .sink = sink()});
      const bool good = reply.problem.empty() && (reply.status == 200 || reply.status == kPartialContent);
      if (good) return close();
      if (reply.status == kRangeNotSatisfiable) {
        restart();  // what lies there is longer than the file, or is all of it: cheaper to fetch anew than to guess
      } else if (!hub::is_worth_another_try(reply)) {
        throw InputError(url_, "cannot be fetched: " + hub::describe(reply));
      }
      if (done_ > before) tries = 1;
      client.pause(tries, settings_.tries, reply, url_);
    }
  }

 private:
  hub::HttpSink sink() {
    return [this, begun = false](const hub::HttpReply& head, std::span<const char> bytes) mutable {
      if (!begun) {
        begun = true;
        if (head.status != kPartialContent) restart();
        total_ = announced_size(head) == 0 ? 0 : done_ + announced_size(head);
        if (!out_.is_open()) out_.open(part_, std::ios::binary | std::ios::app);
      }
      out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      if (!out_.flush()) throw ResourceError(part_.string(), "cannot write: is the disk full?");
      done_ += bytes.size();
      observer_.on_transfer({name_, done_, total_});
      return true;
    };
  }

  void restart() {
    out_.close();
    const std::ofstream emptied(part_, std::ios::binary | std::ios::trunc);
    done_ = 0;
  }

  void close() {
    out_.close();
    if (out_.fail()) throw ResourceError(part_.string(), "cannot write: is the disk full?");
  }

  const std::string& url_;
  std::string name_ = file_name(url_);
  fs::path part_;
  hub::Settings settings_;
  Observer& observer_;
  std::ofstream out_;
  uint64_t done_ = 0, total_ = 0;
};

}  // namespace

fs::path fetch_shard(const std::string& url, const fs::path& cache, Observer& observer) {
  const fs::path folder = cache / "shards";
  hub::make_folders(folder);
  const fs::path file = folder / (sha256_hex(url).substr(0, 16) + "-" + file_name(url));
  std::error_code none;
  if (fs::exists(file, none)) return file;
  const hub::FileLock lock(fs::path(file).concat(".lock"), observer);
  if (fs::exists(file, none)) return file;
  const fs::path part = fs::path(file).concat(".part");
  ShardDownload(url, part, observer).run();
  std::error_code failed;
  fs::rename(part, file, failed);
  if (failed) throw ResourceError(part.string(), "cannot rename: " + failed.message());
  return file;
}

fs::path default_cache() {
  for (const auto& [variable, below] :
       {std::pair{"FRESCO_CACHE", ""}, {"XDG_CACHE_HOME", "fresco"}, {"HOME", ".cache/fresco"}}) {
    const char* folder = std::getenv(variable);
    if (folder != nullptr && *folder != 0) return *below == 0 ? fs::path(folder) : fs::path(folder) / below;
  }
  return ".fresco-cache";
}

}  // namespace fresco::data
