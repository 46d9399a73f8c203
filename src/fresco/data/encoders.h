#pragma once
// What turns pictures and captions into what a U-Net is trained on: a model's VAE and tokenizer, loaded without the rest of it.
#include <string>

#include "fresco/pipeline/model.h"
#include "fresco/text/tokenizer.h"
#include "fresco/vae/vae.h"

namespace fresco::data {

struct Encoders {
  vae::Vae vae;
  text::Tokenizer tokenizer;
  std::string vae_hash, tokenizer_hash;
  std::string precision;  // in which the VAE runs
  bool on_cpu = true;
};

/// A local folder needs to hold a VAE and, where its own vocabulary differs from the one that ships with fresco, a tokenizer; weights of other
/// networks need not be there. Errors: as pipeline::Model::load().
Encoders load_encoders(const pipeline::LoadOptions& options, Observer& observer);

/// SHA-256 over names, types, shapes and bytes of the VAE's tensors; of a packed file, that of the whole model.
std::string vae_hash(const checkpoint::ModelFiles& files, Observer& observer);

/// SHA-256 over what the tokenizer does: every token's text, and the tokens of that text. The same for any files that say the same.
std::string tokenizer_hash(const text::Tokenizer& tokenizer);

text::Tokenizer tokenizer_of(const checkpoint::ModelFiles& files);

/// [77] of a text, as it is stored.
std::vector<int32_t> caption_ids(const text::Tokenizer& tokenizer, const std::string& caption);

}  // namespace fresco::data
