// The arithmetic of the published networks at 512x512, batch 1, against counts made apart from this code. Stable Diffusion's agrees with
// the 339 G that are usually published (T-GATE, arXiv:2404.02747), which leave out attention's own products.
#include <gtest/gtest.h>

#include <map>

#include "fresco/text/multiply_adds.h"
#include "fresco/unet/multiply_adds.h"
#include "fresco/vae/multiply_adds.h"

namespace fresco {
namespace {

constexpr double kDigit = 0.051e9;  // the counts have one digit after the point

const char* kStock = R"({"_class_name": "UNet2DConditionModel", "sample_size": 64, "attention_head_dim": 8,
  "block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 768, "layers_per_block": 2,
  "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
  "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]})";

// %s: add_downsample, mid_num_resnets, mid_num_attentions, add_upsample_mid_block, up_blocks_num_attentions
const char* kFlexible = R"({"_class_name": "FlexibleUNet2DConditionModel", "sample_size": 64, "configurations": {
  "sample_size": 64, "temb_dim": 1280, "resnet_eps": 1e-05, "resnet_act_fn": "silu", "num_attention_heads": 8,
  "cross_attention_dim": 768, "mix_block_in_forward": true, "down_blocks_in_channels": [320, 320, 640],
  "down_blocks_out_channels": [320, 640, 1280], "down_blocks_num_resnets": [2, 2, 1],
  "down_blocks_num_attentions": [0, 1, 3], "prev_output_channels": [1280, 1280, 640],
  "up_blocks_num_resnets": [2, 3, 3], "add_upsample": [true, true, false]}})";

Json flexible(const Json& changes) {
  Json config = parse_json(kFlexible, "config");
  config["configurations"].update(changes);
  return config;
}

const Json kDeci10 = {{"add_downsample", {true, true, true}},
                      {"mid_num_resnets", 4},
                      {"mid_num_attentions", 2},
                      {"add_upsample_mid_block", true},
                      {"up_blocks_num_attentions", {6, 3, 0}}};
const Json kDeci20 = {{"add_downsample", {true, true, false}},
                      {"mid_num_resnets", 0},
                      {"mid_num_attentions", 0},
                      {"add_upsample_mid_block", false},
                      {"up_blocks_num_attentions", {5, 3, 0}}};

using Expected = std::map<std::string, double>;  // kind -> 1e9

void expect_kinds(const MultiplyAdds& count, double total, const Expected& expected) {
  for_each_kind(count, [&](const std::string& kind, int64_t value) {
    if (!expected.contains(kind)) return;
    EXPECT_NEAR(static_cast<double>(value), 1e9 * expected.at(kind), kDigit) << kind;
  });
  EXPECT_NEAR(static_cast<double>(count.total()), 1e9 * total, 2 * kDigit);
}

TEST(MultiplyAdds, OfPublishedUNetsAreThoseOfTheirLayers) {
  const auto decidiffusion_1 = unet::read_spec(flexible(kDeci10), "config");
  expect_kinds(unet::multiply_adds(decidiffusion_1, 64, 64), 307.1,
               {{"conv3x3", 139.8},
                {"conv3x3_enlarged", 34.0},
                {"feed_forward", 67.9},
                {"projections", 35.9},
                {"pointwise", 18.9},
                {"attention", 7.8},
                {"conv3x3_halving", 2.8}});
  const auto decidiffusion_2 = unet::read_spec(flexible(kDeci20), "config", /*has_middle=*/false);
  expect_kinds(unet::multiply_adds(decidiffusion_2, 64, 64), 277.8,
               {{"conv3x3", 128.4},
                {"conv3x3_enlarged", 30.2},
                {"feed_forward", 60.4},
                {"projections", 31.7},
                {"pointwise", 17.6},
                {"attention", 7.5},
                {"conv3x3_halving", 1.9}});
  const auto stable_diffusion = unet::read_spec(parse_json(kStock, "config"), "config");
  expect_kinds(unet::multiply_adds(stable_diffusion, 64, 64), 401.6,
               {{"conv3x3", 163.4},
                {"conv3x3_enlarged", 34.0},
                {"feed_forward", 76.8},
                {"projections", 39.9},
                {"pointwise", 21.8},
                {"attention", 63.0},
                {"conv3x3_halving", 2.8}});
}

TEST(MultiplyAdds, OfTheAutoencoderAreThoseOfItsLayers) {
  const vae::VaeSpec spec;
  // Projections and attention of the one attention: 4.3 and 17.2; a digit is 0.1 of 1257 there.
  expect_kinds(vae::decoder_multiply_adds(spec, 64, 64), 1257.3,
               {{"conv3x3", 870.7},
                {"conv3x3_enlarged", 347.9},
                {"projections", 4.3},
                {"pointwise", 17.2},
                {"attention", 17.2}});
  expect_kinds(
      vae::encoder_multiply_adds(spec, 64, 64), 558.4,
      {{"conv3x3", 503.6}, {"conv3x3_halving", 29.0}, {"projections", 4.3}, {"pointwise", 4.3}, {"attention", 17.2}});
}

// Twelve layers of 12 * 768^2 a token, and attention over 77 of them.
TEST(MultiplyAdds, OfTheTextEncoderAreThoseOfItsLayers) {
  expect_kinds(text::multiply_adds(text::TextSpec()), 6.6,
               {{"projections", 2.2}, {"feed_forward", 4.4}, {"attention", 0.1}});
}

TEST(MultiplyAdds, GrowWithTheAreaAndAttentionWithItsSquare) {
  const auto spec = unet::read_spec(flexible(kDeci10), "config");
  const auto small = unet::multiply_adds(spec, 32, 64), large = unet::multiply_adds(spec, 64, 64);
  EXPECT_EQ(2 * small.conv3x3, large.conv3x3);
  EXPECT_EQ(2 * small.feed_forward, large.feed_forward);
  EXPECT_GT(large.attention, 2 * small.attention);
  EXPECT_LT(large.attention, 4 * small.attention);
  EXPECT_EQ(small.time, large.time);
}

TEST(MultiplyAdds, OfOddSidesFollowTheSkips) {
  // 25 -> 13 -> 7 -> 4 and back to the sizes of the skips.
  const auto spec = unet::read_spec(parse_json(kStock, "config"), "config");
  ASSERT_TRUE(unet::side_fits(spec, 25));
  const auto odd = unet::multiply_adds(spec, 25, 25), even = unet::multiply_adds(spec, 24, 24);
  EXPECT_GT(odd.conv3x3_enlarged, even.conv3x3_enlarged);
  EXPECT_EQ(odd.conv3x3_enlarged, 9 * (int64_t{1280} * 1280 * (7 * 7 + 13 * 13) + int64_t{640} * 640 * 25 * 25));
}

}  // namespace
}  // namespace fresco
