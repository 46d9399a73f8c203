#include "fresco/pipeline/prompts.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"

namespace fresco::pipeline {
namespace {

class Unique {
 public:
  int64_t index(const std::string& text) {
    const int64_t place = std::find(texts.begin(), texts.end(), text) - texts.begin();
    if (place == static_cast<int64_t>(texts.size())) texts.push_back(text);
    return place;
  }
  std::vector<std::string> texts;
};

}  // namespace

TextBatch tokenize(const text::Tokenizer& tokenizer, const std::vector<std::string>& prompts,
                   const std::vector<std::string>& negatives, int64_t length, Observer& observer) {
  Unique unique;
  TextBatch batch;
  batch.unconditional = negatives.size();
  for (const auto& negative : negatives) batch.rows.push_back(unique.index(negative));
  for (const auto& prompt : prompts) batch.rows.push_back(unique.index(prompt));
  std::vector<int64_t> ids;
  for (const auto& text : unique.texts) {
    const auto tokens = tokenizer.encode(text, static_cast<size_t>(length));
    if (!tokens.cut.empty())
      observer.on_warning(fmt::format("the prompt has {} tokens, the model reads {}; cut: \"{}\"", tokens.length,
                                      length, printable(tokens.cut, 200)));
    ids.insert(ids.end(), tokens.ids.begin(), tokens.ids.end());
  }
  batch.ids = at::tensor(ids, at::kLong).view({static_cast<int64_t>(unique.texts.size()), length});
  return batch;
}

EncodedTexts encode(const Model::Impl& model, const TextBatch& texts, int64_t clip_skip) {
  if (texts.rows.empty()) return {};
  auto context = model.text_encoder.forward(texts.ids, clip_skip);  // [U, T, width]
  auto indices = texts.rows;
  if (clip_skip > 0 && texts.unconditional > 0) {
    // diffusers leaves layers out for the prompt alone, never for the negative prompt.
    for (size_t i = 0; i < texts.unconditional; ++i) indices[i] += context.size(0);
    context = at::cat({context, model.text_encoder.forward(texts.ids)});
  }
  return {context, at::tensor(indices, at::dtype(at::kLong)).to(model.preparation.device)};
}

EncodedTexts with_embeds(const Model::Impl& model, const EncodedTexts& texts, const DrawRequest& request, bool guided,
                         PictureRange range) {
  if (!request.prompt_embeds && !request.negative_prompt_embeds) return texts;
  std::vector<at::Tensor> contexts, rows;
  int64_t before = 0;  // texts in front of what is added
  if (texts.context.defined()) {
    contexts.push_back(texts.context);
    rows.push_back(texts.rows);
    before = texts.context.size(0);
  }
  const auto add = [&](const Values& embeds, bool first) {
    const auto device = model.preparation.device;
    contexts.push_back(at::tensor(embeds.data, at::kFloat).view(embeds.shape).to(device, model.preparation.type));
    std::vector<int64_t> indices;
    for (int64_t picture = range.first; picture < range.first + range.count; ++picture)
      indices.push_back(before + (embeds.shape[0] == 1 ? 0 : picture / request.count));
    rows.insert(first ? rows.begin() : rows.end(), at::tensor(indices, at::kLong).to(device));
    before += embeds.shape[0];
  };
  if (request.prompt_embeds) add(*request.prompt_embeds, false);
  if (request.negative_prompt_embeds && guided) add(*request.negative_prompt_embeds, true);
  return {at::cat(contexts), at::cat(rows)};
}

unet::BoundContext bind(const Model::Impl& model, const EncodedTexts& texts) {
  auto bound = model.unet.bind(texts.context);
  for (auto& cell : bound) {
    for (auto& text : cell) {
      text.keys = text.keys.index_select(0, texts.rows);
      text.values = text.values.index_select(0, texts.rows);
    }
  }
  return bound;
}

}  // namespace fresco::pipeline
