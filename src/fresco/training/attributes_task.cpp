#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <map>

#include "fresco/core/error.h"
#include "fresco/data/batch_loader.h"
#include "fresco/data/encoders.h"
#include "fresco/text/multiply_adds.h"
#include "fresco/text/text_encoder.h"
#include "fresco/training/fresh_weights.h"
#include "fresco/training/phase_data.h"
#include "fresco/training/phase_task.h"

namespace fresco::training {
namespace {

// A field of the samples' JSON that is to be told from the caption, and the words that occur in it.
struct Field {
  std::string name;
  int64_t words = 0;
  at::Tensor labels;  // [samples] int64, below words
};

constexpr size_t kMostWords = 256;  // more of them, such as file names, are no attribute

std::string word_of(const Json& attributes, const std::string& field) {
  const auto found = attributes.find(field);
  return found == attributes.end() ? "" : found->is_string() ? found->get<std::string>() : found->dump();
}

// The words of one field, numbered as they come, and each sample's. A sample without the field has the empty word.
struct Words {
  std::map<std::string, int64_t> numbers;
  std::vector<int64_t> labels;

  bool few() const { return numbers.size() <= kMostWords; }
  void add(const std::string& word) {
    if (few()) labels.push_back(numbers.try_emplace(word, static_cast<int64_t>(numbers.size())).first->second);
  }
};

std::map<std::string, Words> words_of(const data::PictureSet& pictures) {
  std::map<std::string, Words> fields;
  for (int64_t i = 0; i < pictures.size(); ++i) {
    Json attributes = pictures.attributes(i);
    if (!attributes.is_object()) attributes = Json::object();
    for (const auto& [key, value] : attributes.items()) {
      const auto [field, is_new] = fields.try_emplace(key);
      for (int64_t before = 0; is_new && before < i; ++before) field->second.add("");
    }
    for (auto& [name, words] : fields) words.add(word_of(attributes, name));
  }
  return fields;
}

// Fields that take at least two and at most kMostWords values. Errors: InputError when there is none.
std::vector<Field> fields_of(const data::PictureSet& pictures, const std::string& place) {
  std::vector<Field> fields;
  for (const auto& [name, words] : words_of(pictures))
    if (words.few() && words.numbers.size() >= 2)
      fields.push_back({name, static_cast<int64_t>(words.numbers.size()), at::tensor(words.labels, at::kLong)});
  if (fields.empty())
    throw InputError(place, "expected samples whose JSON has fields with a few different values each, got none");
  return fields;
}

class AttributesTask : public PhaseTask {
 public:
  explicit AttributesTask(const PhaseNeeds& needs)
      : needs_(needs),
        seed_(data::derived_seed(needs.recipe.seed, static_cast<uint64_t>(needs.index))),
        pictures_(open_pictures(needs)),
        fields_(fields_of(*pictures_, needs.recipe.place)),
        ids_(ids_of_captions()),
        all_(one_bucket()),
        order_(all_, needs.phase.batch, seed_) {
    auto& text = needs.model.parameters(Network::text_encoder);
    const layers::Preparation preparation = preparation_for(needs.phase, text);
    encoder_ = std::make_unique<text::TextEncoder>(needs.model.specs().text, text, preparation);
    heads_ = std::make_unique<Parameters>([&](const layers::WeightSource& source) { read_heads(source); },
                                          text.values().options());
    draw_fresh_weights(*heads_, seed_);
    const auto& optimizer = needs.phase.optimizer;
    const double rate = optimizer.text_learning_rate > 0 ? optimizer.text_learning_rate : optimizer.learning_rate;
    weights_ = {{"text_encoder", &text, &needs.model.average(Network::text_encoder), rate},
                {"heads", heads_.get(), nullptr, optimizer.learning_rate}};
  }

  StepOutcome accumulate(int64_t step, const std::function<void()>& before_last) override {
    const auto all = order_.picks(step);
    const auto mine = data::share_of(all, needs_.workers.rank(), needs_.workers.size());
    const auto micros = data::micro_batches(mine, needs_.phase.micro_batch);
    StepOutcome outcome;
    for (const auto& micro : micros) {
      if (&micro == &micros.back()) before_last();
      const auto value = loss(positions_of(micro)) / static_cast<double>(needs_.phase.batch);
      value.backward();
      outcome.loss += value.item<double>();
    }
    return outcome;
  }

  int64_t samples() const override { return pictures_->size(); }
  double flops() const override {
    return flops_of(text::multiply_adds(needs_.model.specs().text).total(), needs_.phase.batch);
  }

 private:
  at::Tensor ids_of_captions() const {
    const auto tokenizer = data::tokenizer_of(needs_.model.opened());
    auto ids = at::empty({pictures_->size(), text_positions()}, at::kLong);
    for (int64_t i = 0; i < pictures_->size(); ++i) {
      const auto tokens = tokenizer.encode(pictures_->caption(i), static_cast<size_t>(text_positions())).ids;
      ids[i].copy_(at::tensor(tokens, at::kLong));
    }
    return ids;
  }
  int64_t text_positions() const { return needs_.model.specs().text.positions; }

  std::vector<data::Bucket> one_bucket() const {
    data::Bucket all;
    for (int64_t i = 0; i < pictures_->size(); ++i) all.positions.push_back(i);
    return {all};
  }

  void read_heads(const layers::WeightSource& source) const {
    for (const Field& field : fields_) {
      source.get(field.name + ".weight", {field.words, needs_.model.specs().text.width});
      source.get(field.name + ".bias", {field.words});
    }
  }

  // Summed over samples, averaged over fields. Read at the end token, the largest id, as CLIP's own projection is.
  at::Tensor loss(const at::Tensor& positions) const {
    const auto device = heads_->values().device();
    const auto ids = ids_.index_select(0, positions).to(device);  // [b, T]
    const auto hidden = encoder_->forward(ids);                   // [b, T, width]
    const auto end = ids.argmax(1).view({-1, 1, 1}).expand({-1, 1, hidden.size(2)});
    const auto pooled = hidden.gather(1, end).squeeze(1);  // [b, width]
    at::Tensor sum;
    for (const Field& field : fields_) {
      const auto logits = at::linear(pooled.to(heads_->values().scalar_type()), heads_->get(field.name + ".weight", {}),
                                     heads_->get(field.name + ".bias", {}));
      const auto one =
          at::cross_entropy_loss(logits, field.labels.index_select(0, positions).to(device), {}, at::Reduction::Sum);
      sum = sum.defined() ? sum + one : one;
    }
    return sum / static_cast<double>(fields_.size());
  }

  PhaseNeeds needs_;
  uint64_t seed_;
  std::unique_ptr<data::PictureSet> pictures_;
  std::vector<Field> fields_;
  at::Tensor ids_;  // [samples, T]
  std::vector<data::Bucket> all_;
  data::SampleOrder order_;
  std::unique_ptr<text::TextEncoder> encoder_;
  std::unique_ptr<Parameters> heads_;
};

}  // namespace

std::unique_ptr<PhaseTask> make_attributes_task(const PhaseNeeds& needs) {
  return std::make_unique<AttributesTask>(needs);
}

}  // namespace fresco::training
