#pragma once
// From sentences to what cross-attention reads.
#include "fresco/pipeline/denoise.h"
#include "fresco/pipeline/loaded_model.h"

namespace fresco::pipeline {

/// Different texts of a batch, each once, and which of them every row of the batch uses.
struct TextBatch {
  size_t unconditional = 0;   // so many rows at the front are the negative prompt's
  at::Tensor ids;             // [U, T] int64
  std::vector<int64_t> rows;  // index into ids: unconditional rows first when guided, then one a picture
};

/// Warns the observer about words that did not fit.
TextBatch tokenize(const text::Tokenizer& tokenizer, const std::vector<std::string>& prompts,
                   const std::string& negative, bool guided, int64_t length, Observer& observer);

/// Encodes and binds each text once and lays the results out in the batch's rows. clip_skip holds for prompts, not for the negative prompt.
unet::BoundContext encode(const Model::Impl& model, const TextBatch& texts, int64_t clip_skip);

}  // namespace fresco::pipeline
