#include "tests/hub/fake_hub.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <cstdlib>

#include "fresco/core/json.h"
#include "fresco/core/sha256.h"

namespace fresco::hub {

namespace fs = std::filesystem;

std::string test_bytes(size_t count, uint32_t seed) {
  std::string bytes(count, 0);
  for (char& byte : bytes) {
    seed = seed * 1664525u + 1013904223u;  // Numerical Recipes' generator
    byte = static_cast<char>(seed >> 24);
  }
  return bytes;
}

std::string git_blob_id(const std::string& content) {
  const std::string text = fmt::format("blob {}", content.size()) + '\0' + content;
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string id;
  for (const unsigned char byte : digest) id += fmt::format("{:02x}", byte);
  return id;
}

FakeHub::FakeHub()
    : server([this](const ServerRequest& request) {
        ServerReply reply = answer(request);
        if (spoil) spoil(request, reply);
        return reply;
      }) {}

void FakeHub::add(const std::string& path, std::string content, bool large) {
  files[path] = std::move(content);
  if (large) large_files.insert(path);
}

void FakeHub::add_model() {
  add("model_index.json", R"({"_class_name": "StableDiffusionPipeline"})");
  add("scheduler/scheduler_config.json", R"({"_class_name": "DDIMScheduler"})");
  add("tokenizer/vocab.json", "{}");
  add("tokenizer/merges.txt", "#version: 0.2\n");
  uint32_t seed = 1;
  for (const std::string part : {"unet", "vae", "text_encoder"}) {
    const std::string stem = part == "text_encoder" ? "/model" : "/diffusion_pytorch_model";
    add(part + "/config.json", fmt::format(R"({{"part": "{}"}})", part));
    add(part + stem + ".safetensors", test_bytes(300'000, ++seed), true);
    add(part + stem + ".fp16.safetensors", "half", true);
  }
  add("README.md", "words");
  add("safety_checker/model.safetensors", "a judge", true);
  add("v1-pruned.ckpt", "all in one", true);
}

std::string FakeHub::etag(const std::string& path) const {
  return large_files.contains(path) ? sha256_hex(files.at(path)) : git_blob_id(files.at(path));
}

std::string FakeHub::listing() const {
  Json siblings = Json::array();
  for (const auto& [path, content] : files) {
    Json entry = {{"rfilename", path}, {"size", content.size()}, {"blobId", git_blob_id(content)}};
    if (large_files.contains(path)) entry["lfs"] = {{"sha256", sha256_hex(content)}, {"size", content.size()}};
    siblings.push_back(entry);
  }
  return Json{{"id", id}, {"sha", commit}, {"siblings", siblings}}.dump();
}

ServerReply FakeHub::answer(const ServerRequest& request) const {
  if (request.target.starts_with(fmt::format("/api/models/{}/revision/", id))) return {.body = listing()};
  const std::string prefix = fmt::format("/{}/resolve/{}/", id, commit);
  if (!request.target.starts_with(prefix)) return {.status = 404, .headers = {{"X-Error-Code", "RepoNotFound"}}};
  const auto found = files.find(request.target.substr(prefix.size()));
  if (found == files.end()) return {.status = 404, .headers = {{"X-Error-Code", "EntryNotFound"}}};
  const std::string& content = found->second;
  ServerReply reply = {.headers = {{"ETag", "\"" + etag(found->first) + "\""}}, .body = content};
  if (const std::string range = request.header("range"); !range.empty()) {
    const size_t from = std::strtoull(range.c_str() + std::string("bytes=").size(), nullptr, 10);
    if (from >= content.size()) return {.status = 416};
    reply.status = 206;
    reply.body = content.substr(from);
    reply.headers["Content-Range"] = fmt::format("bytes {}-{}/{}", from, content.size() - 1, content.size());
  }
  return reply;
}

Settings FakeHub::settings(const fs::path& cache) const {
  ::setenv("no_proxy", "127.0.0.1", 1);  // a proxy in the environment knows nothing of this server
  Settings settings;
  settings.cache = cache;
  settings.endpoint = server.address();
  settings.first_pause = std::chrono::milliseconds(2);
  settings.longest_pause = std::chrono::milliseconds(10);
  return settings;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "fresco_hub_XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void RecordingObserver::on_transfer(const Transfer& transfer) {
  done[std::string(transfer.what)] = transfer.done;
  largest_done = std::max(largest_done, transfer.done);
}

}  // namespace fresco::hub
