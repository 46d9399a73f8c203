#include "fresco/hub/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <regex>
#include <thread>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/hub/cache.h"
#include "tests/hub/fake_hub.h"

namespace fresco::hub {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kUNetWeights = "unet/diffusion_pytorch_model.safetensors";
const std::vector<std::string> kDrawn = {"model_index.json",         "scheduler/scheduler_config.json",
                                         "tokenizer/vocab.json",     "tokenizer/merges.txt",
                                         "unet/config.json",         kUNetWeights,
                                         "vae/config.json",          "vae/diffusion_pytorch_model.safetensors",
                                         "text_encoder/config.json", "text_encoder/model.safetensors"};

/// A hub, an empty cache and what came of asking.
struct SnapshotTest : ::testing::Test {
  SnapshotTest() {
    hub.add_model();
    settings = hub.settings(folder.path() / "hub");
  }

  fs::path ask(const std::string& revision = "", bool refresh = false) {
    return snapshot({.id = hub.id, .revision = revision, .parts = {}, .refresh = refresh}, settings, observer);
  }

  template <typename Kind>
  std::string error_of_asking(const std::string& revision = "") {
    try {
      ask(revision);
    } catch (const Kind& error) {
      return error.what();
    }
    return "no such error";
  }

  /// Changes the first `times` answers about the U-Net's weights.
  void spoil_weights(int times, std::function<void(const ServerRequest&, ServerReply&)> change) {
    hub.spoil = [times, change = std::move(change)](const auto& request, auto& reply) mutable {
      if (request.target.find(kUNetWeights) != std::string::npos && times-- > 0) change(request, reply);
    };
  }

  void expect_whole(const fs::path& snapshot_folder) {
    for (const auto& path : kDrawn) EXPECT_EQ(read_file(snapshot_folder / path, 1 << 20), hub.files.at(path)) << path;
  }

  fs::path incomplete() { return Cache(settings.cache, hub.id).incomplete(hub.etag(kUNetWeights)); }

  std::vector<std::string> ranges() {
    std::vector<std::string> all;
    for (const auto& request : hub.server.requests(kUNetWeights)) all.push_back(request.header("range"));
    return all;
  }

  FakeHub hub;
  TemporaryFolder folder;
  Settings settings;
  RecordingObserver observer;
};

TEST_F(SnapshotTest, DownloadsWhatDrawingNeedsInTheLayoutOfPythonsHub) {
  const fs::path got = ask();
  expect_whole(got);
  EXPECT_EQ(got, settings.cache / "models--maker--shapes/snapshots" / hub.commit);
  EXPECT_EQ(read_file(settings.cache / "models--maker--shapes/refs/main", 100), hub.commit);
  EXPECT_EQ(fs::read_symlink(got / kUNetWeights), "../../../blobs/" + hub.etag(kUNetWeights));
  EXPECT_EQ(fs::read_symlink(got / "model_index.json"), "../../blobs/" + git_blob_id(hub.files.at("model_index.json")));
  EXPECT_THAT(files_below(got), ::testing::UnorderedElementsAreArray(kDrawn));
  EXPECT_EQ(observer.done.at(kUNetWeights), hub.files.at(kUNetWeights).size());
  EXPECT_FALSE(fs::exists(incomplete()));
}

TEST_F(SnapshotTest, AsksNothingOfTheNetworkWhenTheCacheIsComplete) {
  const fs::path first = ask();
  const size_t before = hub.server.requests().size();
  EXPECT_EQ(ask(), first);
  EXPECT_EQ(ask(hub.commit), first);
  settings.offline = true;
  EXPECT_EQ(ask("", /*refresh=*/true), first);
  EXPECT_EQ(hub.server.requests().size(), before);
}

TEST_F(SnapshotTest, RefreshFetchesOnlyWhatANewCommitChanged) {
  ask();
  hub.commit = std::string(39, 'a') + "2";
  hub.add("unet/config.json", R"({"changed": true})");
  const size_t before = hub.server.requests().size();
  const fs::path second = ask("", /*refresh=*/true);
  expect_whole(second);
  EXPECT_EQ(second.filename(), hub.commit);
  EXPECT_EQ(hub.server.requests().size(), before + 2);  // the listing and one file
  EXPECT_EQ(ask(), second);
}

TEST_F(SnapshotTest, RevisionsKeepTheirOwnRefs) {
  ask("refs/pr/4");
  EXPECT_EQ(read_file(settings.cache / "models--maker--shapes/refs/refs/pr/4", 100), hub.commit);
  EXPECT_THAT(hub.server.requests("/revision/refs%2Fpr%2F4?"), SizeIs(1));
  ask(hub.commit);
  EXPECT_FALSE(fs::exists(settings.cache / "models--maker--shapes/refs" / hub.commit));
}

TEST_F(SnapshotTest, ContinuesABrokenDownloadWithRange) {
  spoil_weights(3, [](const auto&, auto& reply) { reply.break_after = 100'000; });
  expect_whole(ask());
  EXPECT_THAT(ranges(), ::testing::ElementsAre("", "bytes=100000-", "bytes=200000-"));
}

TEST_F(SnapshotTest, KeepsWhatCameForTheNextCall) {
  spoil_weights(
      1000, [](const auto& request, auto& reply) { reply.break_after = request.header("range").empty() ? 70'000 : 0; });
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("70000 of 300000 bytes after 5 tries"));
  EXPECT_EQ(fs::file_size(incomplete()), 70'000u);
  hub.spoil = nullptr;
  expect_whole(ask());
  EXPECT_EQ(ranges().back(), "bytes=70000-");
}

TEST_F(SnapshotTest, TriesCountOnlyWhileNothingNewComes) {
  spoil_weights(20, [](const auto&, auto& reply) { reply.break_after = 10'000; });
  expect_whole(ask());
  EXPECT_THAT(ranges(), SizeIs(21));
}

TEST_F(SnapshotTest, ServerThatIgnoresRangeBeginsAnew) {
  spoil_weights(2,
                [&](const auto&, auto& reply) { reply = {.body = hub.files.at(kUNetWeights), .break_after = 50'000}; });
  hub.spoil = [&, inner = hub.spoil](const auto& request, auto& reply) {
    if (request.target.find(kUNetWeights) != std::string::npos) reply = {.body = hub.files.at(kUNetWeights)};
    inner(request, reply);
  };
  expect_whole(ask());
  EXPECT_THAT(ranges(), ::testing::ElementsAre("", "bytes=50000-", "bytes=50000-"));
}

TEST_F(SnapshotTest, ServerThatIgnoresRangeAndAlwaysBreaksEndsTheTries) {
  spoil_weights(1000,
                [&](const auto&, auto& reply) { reply = {.body = hub.files.at(kUNetWeights), .break_after = 50'000}; });
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("after 5 tries"));
  EXPECT_THAT(ranges(), SizeIs(5));
}

TEST_F(SnapshotTest, PartThatBeginsElsewhereIsNotUsed) {
  spoil_weights(1, [](const auto&, auto& reply) { reply.break_after = 50'000; });
  hub.spoil = [inner = hub.spoil](const auto& request, auto& reply) {
    if (request.header("range") == "bytes=50000-") reply.headers["Content-Range"] = "bytes 60000-299999/300000";
    inner(request, reply);
  };
  expect_whole(ask());
}

TEST_F(SnapshotTest, WrongBytesAreRemoved) {
  spoil_weights(1000, [](const auto&, auto& reply) { reply.body[5000] = static_cast<char>(reply.body[5000] ^ 1); });
  EXPECT_THAT(error_of_asking<ResourceError>(),
              ::testing::AllOf(HasSubstr(kUNetWeights), HasSubstr(hub.etag(kUNetWeights)), HasSubstr("removed")));
  EXPECT_FALSE(fs::exists(incomplete()));
  EXPECT_FALSE(fs::exists(settings.cache / "models--maker--shapes/refs/main"));
  hub.spoil = [](const auto& request, auto& reply) {
    if (request.target.find("vocab.json") != std::string::npos) reply.body = "[]";  // a small file: git's hash
  };
  fs::remove_all(settings.cache);
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("tokenizer/vocab.json"));
}

TEST_F(SnapshotTest, LengthsThatLieAreNoticed) {
  struct Case {
    const char* what;
    std::function<void(ServerReply&)> change;
    bool recovers;
  };
  const Case cases[] = {
      {"shorter than the file", [](auto& reply) { reply.length = "1000"; }, true},
      {"longer than the file", [](auto& reply) { reply.length = "99999999"; }, true},
      {"none", [](auto& reply) { reply.length = ""; }, true},
      {"no number", [](auto& reply) { reply.length = "many"; }, true},
      {"negative", [](auto& reply) { reply.length = "-5"; }, true},
      {"more bytes than the file has", [](auto& reply) { reply.body += "more", reply.length = ""; }, false},
  };
  for (const auto& c : cases) {
    fs::remove_all(settings.cache);
    spoil_weights(1, [&](const auto&, auto& reply) { c.change(reply); });
    if (c.recovers)
      expect_whole(ask());
    else
      EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("expected 300000 bytes, the server sends more"))
          << c.what;
  }
}

TEST_F(SnapshotTest, PassingServerTroubleIsWaitedOut) {
  int answers = 0;
  hub.spoil = [&](const auto&, auto& reply) {
    if (++answers % 3 == 1) reply = {.status = 500, .body = "sorry"};
    if (answers % 3 == 2) reply = {.status = 429, .headers = {{"Retry-After", "0"}}};
  };
  expect_whole(ask());
}

TEST_F(SnapshotTest, RetryAfterIsRespectedWithinReason) {
  spoil_weights(1, [](const auto&, auto& reply) { reply = {.status = 429, .headers = {{"Retry-After", "1"}}}; });
  const auto start = std::chrono::steady_clock::now();
  expect_whole(ask());
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  fs::remove_all(settings.cache);
  spoil_weights(1, [](const auto&, auto& reply) { reply = {.status = 429, .headers = {{"Retry-After", "86400"}}}; });
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("asks to wait 86400 s"));
}

TEST_F(SnapshotTest, RefusalsSayWhatToDo) {
  struct Case {
    int status;
    const char* code;
    const char* token;
    const char* said;
  };
  const Case cases[] = {
      {404, "RepoNotFound", "", "no such model"},
      {404, "", "", "no such model, or no such revision"},
      {404, "RevisionNotFound", "", "no such revision \"main\""},
      {401, "", "", "HF_TOKEN"},
      {401, "", "hf_secret", "the token in use may not read it"},
      {401, "GatedRepo", "", "licence accepted at http://127.0.0.1"},
      {403, "GatedRepo", "hf_secret", "by the account whose token is set"},
  };
  for (const auto& c : cases) {
    hub.spoil = [&](const auto&, auto& reply) { reply = {.status = c.status, .headers = {{"X-Error-Code", c.code}}}; };
    settings.token = c.token;
    const std::string said = error_of_asking<InputError>();
    EXPECT_THAT(said, HasSubstr(c.said)) << c.status << " " << c.code;
    EXPECT_THAT(said, ::testing::Not(HasSubstr("hf_secret")));
    EXPECT_THAT(said, ::testing::Not(HasSubstr("\n")));
  }
}

TEST_F(SnapshotTest, TokenGoesToTheHubAndNowhereElse) {
  settings.token = "hf_secret";
  HttpServer elsewhere([&](const ServerRequest&) -> ServerReply { return {.body = hub.files.at(kUNetWeights)}; });
  spoil_weights(1, [&](const auto&, auto& reply) {
    reply = {.status = 302, .headers = {{"Location", elsewhere.address() + "/signed?key=1"}}};
  });
  expect_whole(ask());
  ASSERT_THAT(elsewhere.requests(), SizeIs(1));
  EXPECT_EQ(elsewhere.requests()[0].header("authorization"), "");
  for (const auto& request : hub.server.requests()) EXPECT_EQ(request.header("authorization"), "Bearer hf_secret");
}

TEST_F(SnapshotTest, RedirectsInsideTheHubAreFollowedAndEndlessOnesAreNot) {
  hub.spoil = [&](const auto& request, auto& reply) {
    const bool listing =
        request.target.starts_with("/api/models/") && request.target.find("again") == std::string::npos;
    if (listing) reply = {.status = 307, .headers = {{"Location", request.target + "&again=1"}}};
  };
  expect_whole(ask());
  fs::remove_all(settings.cache);
  hub.spoil = [](const auto& request, auto& reply) {
    reply = {.status = 302, .headers = {{"Location", request.target}}};
  };
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("more than 10 redirects"));
}

TEST_F(SnapshotTest, TroubleAtTheListingIsTriedFiveTimes) {
  hub.spoil = [](const auto&, auto& reply) { reply.break_after = 10; };
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("after 5 tries"));
  hub.spoil = [](const auto&, auto& reply) { reply = {.status = 503}; };
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("HTTP 503 after 5 tries"));
}

TEST_F(SnapshotTest, OfflineUsesTheCacheOrSaysWhatIsMissing) {
  settings.offline = true;
  EXPECT_THAT(error_of_asking<ResourceError>(),
              ::testing::AllOf(HasSubstr("not in the cache"), HasSubstr("HF_HUB_OFFLINE")));
  settings.offline = false;
  const fs::path got = ask();
  settings.offline = true;
  fs::remove(got / kUNetWeights);
  EXPECT_THAT(error_of_asking<ResourceError>(), ::testing::AllOf(HasSubstr(kUNetWeights), HasSubstr("HF_HUB_OFFLINE")));
}

TEST_F(SnapshotTest, CacheWrittenByPythonsHubIsUsed) {
  // huggingface_hub keeps absolute and relative links alike, a newline in refs does no harm, and other
  // files may be there.
  settings.offline = true;
  const fs::path model = settings.cache / "models--maker--shapes";
  const fs::path place = model / "snapshots" / hub.commit;
  fs::create_directories(model / "blobs");
  fs::create_directories(model / "refs");
  std::ofstream(model / "refs/main") << hub.commit;
  for (const auto& [path, content] : hub.files) {
    std::ofstream(model / "blobs" / hub.etag(path), std::ios::binary) << content;
    fs::create_directories((place / path).parent_path());
    fs::create_symlink(fs::relative(model / "blobs" / hub.etag(path), (place / path).parent_path()), place / path);
  }
  EXPECT_EQ(ask(), place);
  EXPECT_EQ(ask(hub.commit), place);
  fs::remove(model / "blobs" / hub.etag(kUNetWeights));  // its link now leads nowhere; the half precision file remains
  EXPECT_EQ(ask(), place);
  fs::remove(model / "blobs" / hub.etag("vae/config.json"));
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("lacks vae/config.json,"));
}

TEST_F(SnapshotTest, DeadNetworkFallsBackToTheCacheWithAWarning) {
  const fs::path got = ask();
  settings.endpoint = "http://127.0.0.1:1";
  EXPECT_EQ(ask("", /*refresh=*/true), got);
  ASSERT_THAT(observer.warnings, SizeIs(1));
  EXPECT_THAT(observer.warnings[0], HasSubstr("using the cached"));
  fs::remove(got / kUNetWeights);
  EXPECT_THAT(error_of_asking<ResourceError>(), ::testing::AllOf(HasSubstr("after 2 tries"), HasSubstr(kUNetWeights)));
}

TEST_F(SnapshotTest, TwoThreadsBringEachFileOnce) {
  RecordingObserver others[3];
  std::vector<std::thread> threads;
  for (auto& other : others)
    threads.emplace_back([&] { snapshot({.id = hub.id, .revision = {}, .parts = {}}, settings, other); });
  for (auto& thread : threads) thread.join();
  expect_whole(ask());
  EXPECT_THAT(hub.server.requests(kUNetWeights), SizeIs(1));
}

TEST_F(SnapshotTest, TwoProcessesBringEachFileOnce) {
  // The child only asks and leaves: it never touches the server's threads, which stayed with the parent.
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 1;
    try {
      ask();
      status = 0;
    } catch (const std::exception&) {
    }
    ::_exit(status);
  }
  ask();
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  expect_whole(ask());
  EXPECT_THAT(hub.server.requests(kUNetWeights), SizeIs(1));
}

TEST_F(SnapshotTest, CancellingKeepsWhatCame) {
  hub.add(kUNetWeights, test_bytes(40'000'000, 7), true);
  observer.cancel_after = 8'000'000;
  EXPECT_THROW(ask(), Interrupted);
  const auto kept = fs::file_size(incomplete());
  EXPECT_GE(kept, 8'000'000u);
  EXPECT_LT(kept, 40'000'000u);
  observer.cancel_after = UINT64_MAX;
  const fs::path got = ask();
  EXPECT_EQ(ranges().back(), "bytes=" + std::to_string(kept) + "-");
  EXPECT_EQ(fs::file_size(got / kUNetWeights), 40'000'000u);
}

TEST_F(SnapshotTest, ListingsThatMakeNoSenseAreRefused) {
  const std::string good = hub.listing();
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  const std::string cases[] = {"",
                               "[]",
                               "{",
                               "<html>",
                               replaced(hub.commit, "../../etc"),
                               replaced("unet/config.json", "../../../escaped.json"),
                               replaced("unet/config.json", "/etc/cron.d/escaped"),
                               replaced("unet/config.json", "unet/../../escaped.json"),
                               replaced(hub.etag("unet/config.json"), "../../../escaped"),
                               replaced("\"siblings\"", "\"sibling\""),
                               replaced("300000", "-300000"),
                               std::string(200'000, '[')};
  for (const auto& text : cases) {
    hub.spoil = [&](const auto& request, auto& reply) {
      if (request.target.starts_with("/api/")) reply.body = text;
    };
    EXPECT_NE(error_of_asking<FormatError>(), "no such error") << text.substr(0, 200);
  }
  EXPECT_FALSE(fs::exists(settings.cache));
}

TEST_F(SnapshotTest, DiskIsCheckedBeforeADownload) {
  std::string size = "3000000000000000000";
  hub.spoil = [&](const auto& request, auto& reply) {
    if (request.target.starts_with("/api/"))
      reply.body = std::regex_replace(reply.body, std::regex("\"size\":300000"), "\"size\":" + size);
  };
  EXPECT_THAT(error_of_asking<ResourceError>(),
              ::testing::AllOf(HasSubstr("needs 9000000000"), HasSubstr("GB are free")));
  size = "9000000000000000000";
  EXPECT_THAT(error_of_asking<FormatError>(), HasSubstr("overflows"));
  EXPECT_THAT(hub.server.requests("/resolve/"), IsEmpty());
}

TEST_F(SnapshotTest, FullDiskIsAResourceError) {
  fs::create_directories(incomplete().parent_path());
  fs::create_symlink("/dev/full", incomplete());
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("No space left on device"));
}

TEST_F(SnapshotTest, CacheThatCannotBeWrittenIsAResourceError) {
  std::ofstream(settings.cache) << "a file where a folder should be";
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("cannot create the folder"));
}

TEST_F(SnapshotTest, MirrorThatListsNoBlobsIsAskedForEachFile) {
  hub.spoil = [&](const auto& request, auto& reply) {
    if (!request.target.starts_with("/api/")) return;
    std::string siblings;
    for (const auto& [path, content] : hub.files)
      siblings += (siblings.empty() ? "" : ",") + ("{\"rfilename\":\"" + path + "\"}");
    reply.body = "{\"sha\":\"" + hub.commit + "\",\"siblings\":[" + siblings + "]}";
  };
  expect_whole(ask());
}

TEST_F(SnapshotTest, DeciDiffusionInTheCacheIsCompleteOnlyWithItsFlexibleUNet) {
  hub.add("model_index.json", R"({"_class_name": "DeciDiffusionPipeline"})");
  ask();
  settings.offline = true;
  EXPECT_THAT(error_of_asking<ResourceError>(), HasSubstr("flexible_unet/config.json"));
}

TEST_F(SnapshotTest, SingleFilesAreFoundInTheSnapshot) {
  EXPECT_EQ(single_file(ask()), std::nullopt);
  fs::remove_all(settings.cache);
  hub.files = {{"v1-5-pruned.ckpt", "raw"}, {"v1-5-pruned-emaonly.safetensors", "averaged"}, {"README.md", "words"}};
  const fs::path got = ask();
  EXPECT_EQ(single_file(got), got / "v1-5-pruned-emaonly.safetensors");
  fs::remove_all(settings.cache);
  hub.files = {{"a.safetensors", "a"}, {"b.safetensors", "b"}};
  EXPECT_THAT(error_of_asking<InputError>(), HasSubstr("several models (a.safetensors, b.safetensors)"));
}

}  // namespace
}  // namespace fresco::hub
