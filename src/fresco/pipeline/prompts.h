#pragma once
// From sentences to what cross-attention reads.
#include "fresco/pipeline/denoise.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/start.h"

namespace fresco::pipeline {

/// Different texts of a batch, each once, and which of them every row of the batch uses.
struct TextBatch {
  size_t unconditional = 0;   // so many rows at the front are the negative prompt's
  at::Tensor ids;             // [U, T] int64
  std::vector<int64_t> rows;  // index into ids: unconditional rows first when guided, then one a picture
};

/// Ids of what is not encoded yet: `negatives` are empty without guidance, either where the caller encoded them. Warns the observer about
/// words that did not fit.
TextBatch tokenize(const text::Tokenizer& tokenizer, const std::vector<std::string>& prompts,
                   const std::vector<std::string>& negatives, int64_t length, Observer& observer);

/// Different texts encoded, and which of them every row of the batch uses.
struct EncodedTexts {
  at::Tensor context;  // [V, T, width]
  at::Tensor rows;     // index into context, on its device
};

/// clip_skip holds for prompts, not for negative ones.
EncodedTexts encode(const Model::Impl& model, const TextBatch& texts, int64_t clip_skip);

/// Puts what the caller encoded in its place beside the rest: negative prompts first, where guided.
EncodedTexts with_embeds(const Model::Impl& model, const EncodedTexts& texts, const DrawRequest& request, bool guided,
                         PictureRange range);

/// Binds each text once and lays the results out in the batch's rows.
unet::BoundContext bind(const Model::Impl& model, const EncodedTexts& texts);

}  // namespace fresco::pipeline
