#include "fresco/vae/multiply_adds.h"

namespace fresco::vae {
namespace {

void resnet(MultiplyAdds& count, int64_t in, int64_t out, int64_t pixels) {
  count.conv3x3 += 9 * (in + out) * out * pixels;
  if (in != out) count.pointwise += in * out * pixels;
}

void middle(MultiplyAdds& count, const VaeSpec& spec, int64_t pixels) {
  const int64_t c = spec.channels.back();
  resnet(count, c, c, pixels);
  if (spec.middle_attention) {
    count.projections += 4 * c * c * pixels;
    count.attention += 2 * c * pixels * pixels;
  }
  resnet(count, c, c, pixels);
}

}  // namespace

MultiplyAdds decoder_multiply_adds(const VaeSpec& spec, int64_t height, int64_t width) {
  MultiplyAdds count;
  int64_t pixels = height * width, in = spec.channels.back();
  if (spec.post_quant_conv) count.pointwise += spec.latent_channels * spec.latent_channels * pixels;
  count.conv3x3 += 9 * spec.latent_channels * in * pixels;
  middle(count, spec, pixels);
  for (size_t level = spec.channels.size(); level-- > 0;) {
    const int64_t out = spec.channels[level];
    for (int64_t i = 0; i < spec.layers + 1; ++i) resnet(count, i == 0 ? in : out, out, pixels);
    in = out;
    if (level == 0) break;
    pixels *= 4;
    count.conv3x3_enlarged += 9 * out * out * pixels;
  }
  count.conv3x3 += 9 * in * spec.picture_channels * pixels;
  return count;
}

MultiplyAdds encoder_multiply_adds(const VaeSpec& spec, int64_t height, int64_t width) {
  MultiplyAdds count;
  int64_t pixels = height * width * spec.scale() * spec.scale(), in = spec.channels.front();
  count.conv3x3 += 9 * spec.picture_channels * in * pixels;
  for (size_t level = 0; level < spec.channels.size(); ++level) {
    const int64_t out = spec.channels[level];
    for (int64_t i = 0; i < spec.layers; ++i) resnet(count, i == 0 ? in : out, out, pixels);
    in = out;
    if (level + 1 == spec.channels.size()) break;
    pixels /= 4;
    count.conv3x3_halving += 9 * out * out * pixels;
  }
  middle(count, spec, pixels);
  const int64_t moments = 2 * spec.latent_channels;
  count.conv3x3 += 9 * in * moments * pixels;
  if (spec.quant_conv) count.pointwise += moments * moments * pixels;
  return count;
}

}  // namespace fresco::vae
