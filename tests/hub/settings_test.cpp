#include "fresco/hub/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "fresco/core/error.h"
#include "tests/hub/fake_hub.h"

namespace fresco::hub {
namespace {

constexpr const char* kNames[] = {
    "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE",  "HF_HOME",       "XDG_CACHE_HOME", "HF_ENDPOINT",
    "HF_TOKEN",     "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN",
    "HOME"};

using Variables = std::map<std::string, std::string>;

/// The environment holds exactly these variables of the hub's until the end of the scope.
class Environment {
 public:
  explicit Environment(const Variables& values) {
    for (const auto* name : kNames) {
      if (const char* value = std::getenv(name)) saved_[name] = value;
      ::unsetenv(name);
    }
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const auto* name : kNames) ::unsetenv(name);
    for (const auto& [name, value] : saved_) ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  Variables saved_;
};

TEST(Settings, PlaceTheCacheAsHuggingfaceHubDoes) {
  struct Case {
    Variables environment;
    std::string cache;
  };
  const Case cases[] = {
      {{{"HOME", "/h"}}, "/h/.cache/huggingface/hub"},
      {{{"HOME", "/h"}, {"XDG_CACHE_HOME", "/x"}}, "/x/huggingface/hub"},
      {{{"HOME", "/h"}, {"XDG_CACHE_HOME", "/x"}, {"HF_HOME", "/f"}}, "/f/hub"},
      {{{"HOME", "/h"}, {"HF_HOME", "~/f"}}, "/h/f/hub"},
      {{{"HF_HOME", "/f"}, {"HUGGINGFACE_HUB_CACHE", "/old"}}, "/old"},
      {{{"HF_HOME", "/f"}, {"HUGGINGFACE_HUB_CACHE", "/old"}, {"HF_HUB_CACHE", "/new"}}, "/new"},
  };
  for (const auto& c : cases) {
    const Environment environment(c.environment);
    EXPECT_EQ(settings_from_environment().cache, c.cache);
  }
}

TEST(Settings, FindTheToken) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "token") << "hf_from_file\n";
  std::ofstream(folder.path() / "other") << "hf_other\n";
  const std::string home = folder.path().string();
  const std::pair<Variables, std::string> cases[] = {
      {{{"HF_HOME", home + "/none"}}, ""},
      {{{"HF_HOME", home}}, "hf_from_file"},
      {{{"HF_HOME", home}, {"HF_TOKEN_PATH", home + "/other"}}, "hf_other"},
      {{{"HF_HOME", home}, {"HUGGING_FACE_HUB_TOKEN", " hf_old "}}, "hf_old"},
      {{{"HF_HOME", home}, {"HUGGING_FACE_HUB_TOKEN", "hf_old"}, {"HF_TOKEN", "hf_new\n"}}, "hf_new"},
      {{{"HF_HOME", home}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}}, ""},
  };
  for (const auto& [values, token] : cases) {
    const Environment environment(values);
    EXPECT_EQ(settings_from_environment().token, token);
  }
  const Environment environment(Variables{{"HF_HOME", home}, {"HF_TOKEN", "a\r\nHost: b"}});
  EXPECT_THROW(settings_from_environment(), InputError);
}

TEST(Settings, ReadTheEndpointAndOffline) {
  for (const auto* word : {"1", "true", "YES", "On"}) {
    const Environment environment(Variables{{"HF_HUB_OFFLINE", word}});
    EXPECT_TRUE(settings_from_environment().offline) << word;
  }
  for (const auto* word : {"", "0", "false", "no"}) {
    const Environment environment(Variables{{"HF_HUB_OFFLINE", word}, {"HF_ENDPOINT", "http://mirror:8080//"}});
    EXPECT_FALSE(settings_from_environment().offline) << word;
    EXPECT_EQ(settings_from_environment().endpoint, "http://mirror:8080");
  }
  const Environment environment(Variables{{"HF_ENDPOINT", "ftp://mirror"}});
  EXPECT_THROW(settings_from_environment(), InputError);
}

}  // namespace
}  // namespace fresco::hub
