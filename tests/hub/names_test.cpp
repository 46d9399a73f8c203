#include "fresco/hub/names.h"

#include <gtest/gtest.h>

#include "fresco/core/error.h"
#include "fresco/hub/hub.h"

namespace fresco::hub {
namespace {

TEST(HubId, IsOwnerAndName) {
  for (const auto* id : {"Deci/DeciDiffusion-v1-0", "runwayml/stable-diffusion-v1-5", "a/b", "me_2/x.y"}) {
    EXPECT_TRUE(looks_like_hub_id(id)) << id;
    EXPECT_NO_THROW(check_id(id)) << id;
  }
}

TEST(HubId, IsNothingElse) {
  for (const auto* id : {"", "/", "a", "/a", "a/", "a/b/c", "../a", "a/..", "./a", "~/a", "a/b c", "a/b?c", "a/b%2e",
                         "a--b/c", "models/file.safetensors", "models/file.ckpt", "-a/b", "a/b\n", "a/b..c"}) {
    EXPECT_FALSE(looks_like_hub_id(id)) << id;
    EXPECT_THROW(check_id(id), InputError) << id;
  }
}

TEST(Revision, MayBeABranchATagACommitOrAPullRequest) {
  for (const auto* revision : {"main", "refs/pr/4", "v1.0", "fp16", "99d0c312", "feature/x+y"})
    EXPECT_NO_THROW(check_revision("a/b", revision)) << revision;
  for (const auto* revision : {"../main", "/etc/passwd", "a//b", "a/./b", "a b", "a?b", "a\\b", "refs/"})
    EXPECT_THROW(check_revision("a/b", revision), InputError) << revision;
}

TEST(FileName, StaysInsideItsFolder) {
  for (const auto* path : {"config.json", "unet/config.json", "a b/ä.json", "..a/b.."})
    EXPECT_TRUE(stays_inside(path)) << path;
  for (const auto* path : {"", "/a", "../a", "a/../b", "a/..", ".", "a//b", "a/", "a\\b", "a\nb"})
    EXPECT_FALSE(stays_inside(path)) << path;
}

}  // namespace
}  // namespace fresco::hub
