// Caches of latents: what is stored, that a stopped one goes on and ends the same, and what is refused.
#include "fresco/data/latent_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "fresco/core/files.h"
#include "fresco/data/prepare_cache.h"
#include "tests/data/in_memory_pictures.h"

namespace fresco::data {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

const Encoders& starter() {
  static const Encoders encoders = [] {
    const auto model = fs::path(FRESCO_SOURCE_DIR) / "models/starter-128";
    return load_encoders({.files = {.model = model.string()}}, no_observer());
  }();
  return encoders;
}

class Warnings : public Observer {
 public:
  void on_warning(std::string_view text) override { texts.emplace_back(text); }
  std::vector<std::string> texts;
};

// Shards of eight pictures of 32x32 with their mirrors.
constexpr int64_t kShardBytes = 8 * 2 * 2 * 8 * 4 * 4;

InMemoryPictures some_pictures() {
  InMemoryPictures pictures({{32, 32, 21}, {64, 32, 5}, {32, 64, 0}});
  pictures.captions[3] = "a \"quoted\" caption\nof two lines, \xff and ein schönes Bild";
  pictures.broken[4] = "truncated JPEG";
  pictures.broken[22] = "no picture";
  return pictures;
}

std::string contents(const fs::path& file) { return read_file(file, 1 << 30); }

class LatentCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "fresco-cache-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  CacheSettings settings(const char* name = "cache") const {
    return {.out = folder_ / name, .mirrored = true, .threads = 2, .batch = 3, .shard_bytes = kShardBytes};
  }
  CacheReport prepare(const CacheSettings& how, Observer& observer = no_observer()) const {
    return prepare_cache(some_pictures(), starter(), how, observer);
  }
  std::map<std::string, std::string> files(const fs::path& folder) const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().filename() != ".lock") found[entry.path().filename().string()] = contents(entry.path());
    return found;
  }
  void cut(const fs::path& file, uintmax_t bytes) const { fs::resize_file(file, bytes); }
  void change(const fs::path& file, uint64_t offset) const {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    const auto byte = static_cast<char>(stream.get() ^ 1);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(byte);
  }
  void replace_in_index(const char* from, const std::string& to) const {
    const auto file = folder_ / "cache" / kCacheIndex;
    std::string text = contents(file);
    const size_t at = text.find(from);
    ASSERT_NE(at, text.npos) << from;
    write_file(file, text.replace(at, std::strlen(from), to), true);
  }

  fs::path folder_;
};

TEST_F(LatentCacheTest, HoldsTheMomentsAndTokensOfEverySample) {
  Warnings warnings;
  const auto report = prepare(settings(), warnings);
  EXPECT_EQ(report.samples, 24);
  EXPECT_EQ(report.encoded, 24);
  EXPECT_EQ(report.skipped, 2);
  EXPECT_THAT(warnings.texts,
              testing::ElementsAre("skipped sample-4: truncated JPEG", "skipped sample-22: no picture"));

  const LatentCache cache(
      settings().out, {.vae_hash = starter().vae_hash, .tokenizer_hash = starter().tokenizer_hash, .mirrored = true});
  cache.verify(no_observer());
  ASSERT_EQ(cache.size(), 24);
  ASSERT_EQ(cache.buckets().size(), 3u);
  EXPECT_EQ(cache.buckets()[0].positions.size(), 20u);
  EXPECT_EQ(cache.buckets()[1].positions.size(), 4u);
  EXPECT_EQ(cache.buckets()[1].height, 64);
  EXPECT_EQ(cache.buckets()[1].width, 32);

  const auto pictures = some_pictures();
  for (int64_t i = 0; i < cache.size(); ++i) {
    const SampleLine line = cache.line(i);
    EXPECT_EQ(line.key, pictures.key(line.position));
    for (const bool mirrored : {false, true}) {
      const Item item = cache.get(i, mirrored);
      EXPECT_EQ(item.ids, caption_ids(starter().tokenizer, pictures.caption(line.position)));
      const auto alone = starter().vae.encode(pictures.picture(line.position, mirrored).unsqueeze(0))[0];
      // float16 keeps 11 bits: half of 2^-10 of the larger values, and what rounding does in another batch.
      EXPECT_TRUE(at::allclose(item.moments.to(at::kFloat), alone, 1e-3, 1e-3)) << line.key;
    }
    EXPECT_FALSE(at::equal(cache.get(i, false).moments, cache.get(i, true).moments));
  }
  ASSERT_EQ(cache.index().skipped_count, 2);
  EXPECT_EQ(cache.index().skipped[1].key, "sample-22");
}

TEST_F(LatentCacheTest, GoesOnFromAnyShardAndEndsTheSame) {
  prepare(settings("whole"));
  const auto whole = files(settings("whole").out);
  ASSERT_EQ(whole.size(), 6u);  // the index, 3 shards of the first size, 2 of the second
  for (const int missing : {0, 1, 2, 4, 8, 16, 9, 22, 31}) {
    const auto how = settings(std::to_string(missing).c_str());
    fs::copy(settings("whole").out, how.out);
    CacheIndex index = read_cache_index(how.out);
    index.complete = false;
    index.shards.clear();
    write_cache_index(how.out, index);
    int64_t gone = 0;
    for (size_t shard = 0; shard < 5; ++shard)
      if ((missing >> shard & 1) != 0 && fs::remove(how.out / shard_name(shard))) ++gone;
    std::ofstream(how.out / ".shard-00001.safetensors.AbCdEf") << "half a shard";
    const auto report = prepare(how);
    EXPECT_EQ(report.encoded == 0, gone == 0);
    EXPECT_EQ(files(how.out), whole) << missing;
  }
}

TEST_F(LatentCacheTest, DoesNothingWhereAllIsDone) {
  prepare(settings());
  const auto before = fs::last_write_time(settings().out / shard_name(0));
  const auto again = prepare(settings());
  EXPECT_EQ(again.encoded, 0);
  EXPECT_EQ(again.samples, 24);
  EXPECT_EQ(fs::last_write_time(settings().out / shard_name(0)), before);
}

TEST_F(LatentCacheTest, MakesDamagedShardsAnew) {
  prepare(settings());
  const auto whole = files(settings().out);
  CacheIndex index = read_cache_index(settings().out);
  index.complete = false;
  write_cache_index(settings().out, index);
  change(settings().out / shard_name(1), fs::file_size(settings().out / shard_name(1)) - 700);
  cut(settings().out / shard_name(2), 1000);
  Warnings warnings;
  prepare(settings(), warnings);
  EXPECT_THAT(warnings.texts, testing::Contains(HasSubstr("damaged: expected SHA-256")));
  EXPECT_EQ(files(settings().out), whole);
}

TEST_F(LatentCacheTest, RefusesToMixWhatWasMadeFromSomethingElse) {
  prepare(settings());
  auto other = some_pictures();
  other.captions[7] = "another caption";
  EXPECT_THAT(
      [&] { prepare_cache(other, starter(), settings(), no_observer()); },
      ThrowsMessage<InputError>(HasSubstr(
          "holds a cache made from something else (the pictures, their captions or sizes); --overwrite replaces it")));
  auto how = settings();
  how.mirrored = false;
  EXPECT_THAT([&] { prepare(how); }, ThrowsMessage<InputError>(HasSubstr("something else (flips)")));
  how.overwrite = true;
  EXPECT_EQ(prepare(how).encoded, 24);
  EXPECT_THAT([&] { LatentCache(how.out, {.mirrored = true}); },
              ThrowsMessage<InputError>(HasSubstr("holds no mirrored pictures")));
}

TEST_F(LatentCacheTest, RefusesSizesAndSetsThatCannotBe) {
  EXPECT_THAT(
      [&] {
        prepare_cache(InMemoryPictures({{36, 33, 2}}), starter(), settings(), no_observer());
      },
      ThrowsMessage<InputError>(HasSubstr("expected sides that 8 divides, which the VAE can take; got 33x36")));
  InMemoryPictures broken({{32, 32, 2}});
  broken.broken = {{0, "empty file"}, {1, "no picture"}};
  EXPECT_THAT([&] { prepare_cache(broken, starter(), settings(), no_observer()); },
              ThrowsMessage<InputError>(HasSubstr("none of 2 samples can be used; the first: sample-0: empty file")));
  EXPECT_THAT([&] { prepare_cache(InMemoryPictures({}), starter(), settings("none"), no_observer()); },
              ThrowsMessage<InputError>(HasSubstr("there are no pictures to prepare")));
}

TEST_F(LatentCacheTest, ATrainerRefusesWhatItCannotUse) {
  const auto open = [&](const CacheNeeds& needs = {}) { return [=, this] { LatentCache(folder_ / "cache", needs); }; };
  EXPECT_THAT(open(), ThrowsMessage<InputError>(HasSubstr("no cache of latents: there is no index.json in it")));
  prepare(settings());
  EXPECT_THAT(open({.vae_hash = "0123456789abcdef"}),
              ThrowsMessage<InputError>(AllOf(HasSubstr("made with another VAE: expected 0123456789, got"),
                                              HasSubstr("fresco data prepare"))));
  EXPECT_THAT(open({.tokenizer_hash = "0123"}), ThrowsMessage<InputError>(HasSubstr("made with another tokenizer")));
  EXPECT_THAT(open({.latent_channels = 16}),
              ThrowsMessage<InputError>(HasSubstr("latent channels: expected 16, got 4")));

  const auto index = contents(folder_ / "cache" / kCacheIndex);
  const auto shard = folder_ / "cache" / shard_name(1);
  const auto bytes = contents(shard);
  cut(shard, bytes.size() - 1);
  EXPECT_THAT(open(), ThrowsMessage<FormatError>(
                          HasSubstr(fmt::format("expected {} bytes, got {}", bytes.size(), bytes.size() - 1))));
  fs::copy_file(folder_ / "cache" / shard_name(0), shard, fs::copy_options::overwrite_existing);
  EXPECT_THAT(open(), ThrowsMessage<FormatError>(HasSubstr("shard-00001.safetensors")));
  fs::remove(shard);
  EXPECT_THAT(open(), ThrowsMessage<FormatError>(HasSubstr("shard-00001.safetensors: missing; index.json lists it")));
  write_file(shard, bytes, false);
  change(shard, bytes.size() - 700);
  open()();  // headers alone are looked at
  EXPECT_THAT([&] { LatentCache(folder_ / "cache", {}).verify(no_observer()); },
              ThrowsMessage<FormatError>(HasSubstr("damaged")));
  write_file(shard, bytes, true);

  replace_in_index("\"version\": 1", "\"version\": 2");
  EXPECT_THAT(open(), ThrowsMessage<FormatError>(HasSubstr("expected a cache of version 1, got 2")));
  write_file(folder_ / "cache" / kCacheIndex, index, true);
  replace_in_index("\"complete\": true", "\"complete\": false");
  EXPECT_THAT(open(), ThrowsMessage<InputError>(HasSubstr("not finished")));
  write_file(folder_ / "cache" / kCacheIndex, index, true);
  replace_in_index("shard-00001", "../shard-00001");
  EXPECT_THAT(open(), ThrowsMessage<FormatError>(HasSubstr("expected names of files in the same folder")));
  write_file(folder_ / "cache" / kCacheIndex, index, true);
  replace_in_index("\"bucket\": 1", "\"bucket\": 9");
  EXPECT_THAT(open(), ThrowsMessage<FormatError>(HasSubstr("bucket 9 of 3")));
  write_file(folder_ / "cache" / kCacheIndex, index.substr(0, index.size() / 2), true);
  EXPECT_THAT(open(), testing::Throws<FormatError>());
}

TEST_F(LatentCacheTest, TwoProcessesDoNotWriteOneFolder) {
  fs::create_directories(settings().out);
  const int held = ::open((settings().out / ".lock").c_str(), O_RDWR | O_CREAT, 0666);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  EXPECT_THAT([&] { prepare(settings()); },
              ThrowsMessage<ResourceError>(HasSubstr("another process is writing this folder")));
  ::close(held);
}

TEST_F(LatentCacheTest, SaysHowFarItCameWhereTheDiskIsFull) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{6000, before.rlim_max};  // the index fits, a shard does not
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THAT(
      [&] { prepare(settings()); },
      ThrowsMessage<ResourceError>(AllOf(HasSubstr("cannot write"), HasSubstr("0 of 5 shards are done and stay"))));
  ::setrlimit(RLIMIT_FSIZE, &before);
  for (const auto& entry : fs::directory_iterator(settings().out))
    EXPECT_FALSE(entry.path().filename().string().starts_with(".shard"));
  EXPECT_EQ(prepare(settings()).encoded, 24);
}

// Run by the next test in a process of its own.
TEST(CacheProcess, DISABLED_Prepares) {
  const char* folder = std::getenv("FRESCO_TEST_CACHE");
  ASSERT_NE(folder, nullptr);
  auto pictures = some_pictures();
  pictures.delay = std::chrono::milliseconds(8);
  prepare_cache(pictures, starter(),
                {.out = folder, .mirrored = true, .threads = 2, .batch = 3, .shard_bytes = kShardBytes}, no_observer());
}

pid_t start_process(const fs::path& folder) {
  ::setenv("FRESCO_TEST_CACHE", folder.c_str(), 1);
  std::string program = "/proc/self/exe", filter = "--gtest_filter=CacheProcess.*",
              all = "--gtest_also_run_disabled_tests", brief = "--gtest_brief=1";
  char* arguments[] = {program.data(), filter.data(), all.data(), brief.data(), nullptr};
  pid_t process = 0;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  EXPECT_EQ(::posix_spawn(&process, program.c_str(), &actions, nullptr, arguments, environ), 0);
  ::posix_spawn_file_actions_destroy(&actions);
  return process;
}

// Kills the process once that many shards are there, and a little later; true when it ended by itself before.
bool kill_after(pid_t process, const fs::path& folder, size_t shards, int milliseconds) {
  int status = 0;
  while (::waitpid(process, &status, WNOHANG) == 0) {
    if (fs::exists(folder / kCacheIndex) && (shards == 0 || fs::exists(folder / shard_name(shards - 1)))) {
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      ::kill(process, SIGKILL);
      ::waitpid(process, &status, 0);
      return WIFEXITED(status);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return true;
}

TEST_F(LatentCacheTest, KilledAgainAndAgainItEndsTheSame) {
  prepare(settings("whole"));
  const auto how = settings("killed");
  const std::pair<size_t, int> points[] = {{0, 0}, {0, 20}, {1, 0}, {1, 35}, {3, 5}};
  for (const auto& [shards, delay] : points) kill_after(start_process(how.out), how.out, shards, delay);
  EXPECT_FALSE(read_cache_index(how.out).complete);
  EXPECT_TRUE(kill_after(start_process(how.out), how.out, 99, 0));
  EXPECT_EQ(files(how.out), files(settings("whole").out));
}

}  // namespace
}  // namespace fresco::data
