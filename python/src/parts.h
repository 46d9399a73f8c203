#pragma once
// The networks of a loaded model, or one alone; they keep what they are part of.
#include <memory>

#include "fresco/pipeline/model.h"
#include "fresco/text/text_encoder.h"
#include "fresco/text/tokenizer.h"
#include "fresco/unet/unet.h"
#include "fresco/vae/vae.h"

namespace fresco::python {

struct TextPart {
  std::shared_ptr<const text::TextEncoder> network;
  at::Device device = at::kCPU;
};
struct UNetPart {
  std::shared_ptr<const unet::UNet> network;
};
struct VaePart {
  std::shared_ptr<const vae::Vae> network;
  at::Device device = at::kCPU;
};
struct TokenizerPart {
  text::Tokenizer tokenizer;
  int64_t length = 77;
};

TokenizerPart tokenizer_of(const pipeline::Model& model);
TextPart text_encoder_of(const pipeline::Model& model);
UNetPart unet_of(const pipeline::Model& model);
VaePart vae_of(const pipeline::Model& model);

}  // namespace fresco::python
