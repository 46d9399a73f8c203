// Follows vae.cpp and layers/resnet_cell.cpp line by line, with blocks of memory in place of tensors.
#include "fresco/vae/activation_bytes.h"

#include "fresco/core/live_bytes.h"

namespace fresco::vae {
namespace {

class Walk {
 public:
  Walk(const VaeSpec& spec, int64_t batch, int64_t height, int64_t width, int64_t element_bytes)
      : spec_(spec), unit_(batch * element_bytes), height_(height), width_(width) {}

  int64_t decode() {
    const std::vector<int64_t> ch(spec_.channels.rbegin(), spec_.channels.rend());  // coarsest first
    const auto latents = hold(spec_.latent_channels), unquantised = hold(spec_.latent_channels);
    hidden_ = hold(ch[0]);
    middle(ch[0]);
    for (size_t i = 0, before = 0; i < ch.size(); before = i++) {
      for (int64_t j = 0; j < spec_.layers + 1; ++j) resnet(j > 0 ? ch[i] : ch[before], ch[i]);
      if (i + 1 < ch.size()) enlarge(ch[i]);
    }
    finish(ch.back(), spec_.picture_channels);
    return live_.peak();
  }

  int64_t encode() {
    const auto& ch = spec_.channels;
    height_ *= spec_.scale();
    width_ *= spec_.scale();
    const auto picture = hold(spec_.picture_channels);
    hidden_ = hold(ch[0]);
    for (size_t i = 0, before = 0; i < ch.size(); before = i++) {
      for (int64_t j = 0; j < spec_.layers; ++j) resnet(j > 0 ? ch[i] : ch[before], ch[i]);
      if (i + 1 < ch.size()) halve(ch[i]);
    }
    middle(ch.back());
    finish(ch.back(), 2 * spec_.latent_channels);
    return live_.peak();
  }

 private:
  using Held = LiveBytes::Held;
  Held hold(int64_t channels) { return live_.hold(unit_ * channels * height_ * width_); }

  void resnet(int64_t in, int64_t out) {
    auto normed = hold(in);
    auto inner = hold(out);
    normed.reset();
    const auto shortcut = in != out ? hold(out) : hidden_;
    hidden_.reset();
    normed = hold(out);
    inner.reset();
    hidden_ = hold(out);
  }
  void middle(int64_t channels) {
    resnet(channels, channels);
    if (spec_.middle_attention) {
      auto normed = hold(channels);
      auto qkv = hold(3 * channels);
      normed.reset();
      const auto attended = hold(channels);
      qkv.reset();
      hidden_ = hold(channels);
    }
    resnet(channels, channels);
  }
  void enlarge(int64_t channels) {
    height_ *= 2;
    width_ *= 2;
    hidden_ = hold(channels);
  }
  void halve(int64_t channels) {
    height_ /= 2;
    width_ /= 2;
    hidden_ = hold(channels);
  }
  void finish(int64_t channels, int64_t out) {
    const auto normed = hold(channels);
    hidden_.reset();
    const auto output = hold(out);
  }

  const VaeSpec& spec_;
  int64_t unit_;  // bytes of one element for every picture of the batch
  int64_t height_, width_;
  LiveBytes live_;
  Held hidden_;
};

}  // namespace

int64_t decoding_bytes(const VaeSpec& spec, int64_t batch, int64_t height, int64_t width, int64_t element_bytes) {
  return Walk(spec, batch, height, width, element_bytes).decode();
}

int64_t encoding_bytes(const VaeSpec& spec, int64_t batch, int64_t height, int64_t width, int64_t element_bytes) {
  return Walk(spec, batch, height, width, element_bytes).encode();
}

}  // namespace fresco::vae
