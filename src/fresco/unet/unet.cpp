#include "fresco/unet/unet.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "fresco/layers/recompute.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/profile.h"

namespace fresco::unet {
namespace {

layers::ResnetCell make_resnet(layers::Builder& builder, const UNetSpec& spec, const CellSpec& cell) {
  return {builder, cell.prefix, {cell.in, cell.skip, cell.out, spec.time_width, spec.groups, spec.resnet_eps}};
}

layers::TransformerCell make_transformer(layers::Builder& builder, const UNetSpec& spec, const CellSpec& cell) {
  return {builder, cell.prefix, {cell.out, cell.heads, spec.context_width, spec.groups, cell.depth}};
}

std::unique_ptr<layers::TimeEmbedding> make_time_embedding(layers::Builder& builder, const UNetSpec& spec) {
  const layers::ScopedOnce once;
  const layers::TimeShape shape{spec.width, spec.time_width, spec.cosine_first, spec.frequency_shift};
  return std::make_unique<layers::TimeEmbedding>(builder, "time_embedding", shape);
}

layers::Conv make_resample(layers::Builder& builder, const StageSpec& stage) {
  if (stage.resample == Resample::none) return nullptr;
  const int64_t channels = stage.cells.back().out;
  return builder.conv(stage.resample_prefix, channels, channels, 3,
                      stage.resample == Resample::halve ? ops::kHalve3x3 : ops::kSame3x3);
}

}  // namespace

UNet::UNet(UNetSpec spec, const layers::WeightSource& source, const layers::Preparation& preparation)
    : spec_(std::move(spec)), preparation_(preparation) {
  const ops::ScopedForm form(preparation_.ops, preparation_.products);
  layers::Builder builder(source, index_);
  conv_in_ = builder.conv("conv_in", spec_.in_channels, spec_.width, 3, ops::kSame3x3);
  time_embedding_ = make_time_embedding(builder, spec_);
  for (const StageSpec& stage_spec : spec_.stages) {
    Stage stage{.spec = &stage_spec};
    for (const CellSpec& cell : stage_spec.cells) {
      if (cell.kind == CellKind::resnet) {
        stage.cells.push_back({make_resnet(builder, spec_, cell), &cell});
      } else {
        stage.cells.push_back({make_transformer(builder, spec_, cell), &cell});
      }
    }
    stage.resample = make_resample(builder, stage_spec);
    stages_.push_back(std::move(stage));
  }
  norm_out_ = builder.norm("conv_norm_out", spec_.width);
  conv_out_ = builder.conv("conv_out", spec_.width, spec_.out_channels, 3, ops::kSame3x3);
}

BoundContext UNet::bind(const at::Tensor& context) const {
  const ops::ScopedForm form(preparation_.ops, preparation_.products);
  const ops::Span span(ops::SpanKind::network, "unet text");
  const auto typed = context.to(preparation_.device, preparation_.type);
  BoundContext bound;
  for (const Stage& stage : stages_) {
    for (const Cell& cell : stage.cells) {
      if (const auto* transformer = std::get_if<layers::TransformerCell>(&cell.body))
        bound.push_back(transformer->bind(typed));
    }
  }
  return bound;
}

BoundTimes BoundTimes::at(int64_t row, int64_t batch) const {
  BoundTimes one;
  for (const auto& shift : shifts) {
    const bool none = !shift.defined();
    one.shifts.push_back(none ? shift : shift.narrow(0, row, 1).expand({batch, -1}));
  }
  return one;
}

BoundTimes UNet::bind_time(const at::Tensor& time) const {
  const ops::ScopedForm form(preparation_.ops, preparation_.products);
  const ops::Span span(ops::SpanKind::network, "unet time");
  const auto t = time_embedding_->forward(time.to(preparation_.device), preparation_.type);  // [R, time_width]
  BoundTimes bound;
  for (const Stage& stage : stages_) {
    for (const Cell& cell : stage.cells) {
      if (const auto* resnet = std::get_if<layers::ResnetCell>(&cell.body))
        bound.shifts.push_back(resnet->time_shift(t));
    }
  }
  return bound;
}

// How many samples a text is bound for; 0 when the network never looks at it.
int64_t texts_in(const BoundContext& text) {
  for (const auto& cell : text) {
    if (!cell.empty()) return cell.front().keys.size(0);
  }
  return 0;
}

// The state of one pass through the network.
class UNet::Run {
 public:
  // kept: a cell that is not computed again although the others are.
  Run(at::Tensor hidden, const BoundTimes& times, const BoundContext& text, bool recompute, const Cell* kept)
      : hidden_(std::move(hidden)),
        times_(times),
        text_(text),
        copies_(copies_of(text, hidden_.size(0))),
        recompute_(recompute && c10::GradMode::is_enabled()),
        kept_(kept) {
    skips_.push_back(hidden_);
  }
  // The result for every text.
  const at::Tensor& finish() {
    part();
    return hidden_;
  }
  void stage(const Stage& stage) {
    for (const Cell& one : stage.cells) cell(one);
    if (stage.resample) resample(stage);
  }

 private:
  static int64_t copies_of(const BoundContext& text, int64_t batch) {
    return std::max<int64_t>(1, texts_in(text) / std::max<int64_t>(1, batch));
  }
  // From here on texts make a difference: every tensor once for each of them.
  void part() {
    if (copies_ == 1) return;
    const auto copied = [&](const at::Tensor& t) { return layers::repeated(t, copies_); };
    hidden_ = copied(hidden_);
    for (auto& skip : skips_) skip = copied(skip);
    parted_ = copies_;
    copies_ = 1;
  }
  at::Tensor shift(size_t resnet) const {
    const auto& shift = times_.shifts[resnet];
    return parted_ == 1 || !shift.defined() ? shift : shift.repeat({parted_, 1});
  }
  at::Tensor pop() {
    auto skip = std::move(skips_.back());
    skips_.pop_back();
    return skip;
  }
  void cell(const Cell& cell) {
    if (std::holds_alternative<layers::TransformerCell>(cell.body)) part();
    const bool again = recompute_ && &cell != kept_;
    const at::Tensor skip = cell.spec->pops_skip() ? pop() : at::Tensor();
    for (int i = 0; i < cell.spec->repeat; ++i) {
      if (const auto* resnet = std::get_if<layers::ResnetCell>(&cell.body)) {
        hidden_ = again ? recomputed(*resnet, skip) : resnet->forward(std::move(hidden_), skip, shift(resnet_));
      } else {
        const auto& transformer = std::get<layers::TransformerCell>(cell.body);
        const auto& text = text_[transformer_++];
        hidden_ = again ? recomputed(transformer, text) : transformer.forward(hidden_, text);
      }
    }
    if (std::holds_alternative<layers::ResnetCell>(cell.body)) ++resnet_;
    if (cell.spec->pushes_skip) skips_.push_back(hidden_);
  }
  at::Tensor recomputed(const layers::ResnetCell& resnet, const at::Tensor& skip) const {
    return layers::recomputed([&resnet](const auto& in) { return resnet.forward(in[0], in[1], in[2]); },
                              {hidden_, skip, shift(resnet_)});
  }
  at::Tensor recomputed(const layers::TransformerCell& transformer, const std::vector<layers::BoundText>& text) const {
    std::vector<at::Tensor> inputs{hidden_};
    for (const auto& block : text) inputs.insert(inputs.end(), {block.keys, block.values});
    const auto run = [&transformer](const std::vector<at::Tensor>& in) {
      std::vector<layers::BoundText> bound;
      for (size_t i = 1; i + 1 < in.size(); i += 2) bound.push_back({in[i], in[i + 1]});
      return transformer.forward(in[0], bound);
    };
    return layers::recomputed(run, inputs);
  }
  void resample(const Stage& stage) {
    if (stage.spec->resample == Resample::halve) {
      hidden_ = layers::conv2d(stage.resample, hidden_);
    } else {
      enlarge(stage);
    }
    if (stage.spec->pushes_resampled) skips_.push_back(hidden_);
  }

  void enlarge(const Stage& stage) {
    const bool exact = stage.spec->resample == Resample::exact_double || skips_.empty();
    const int64_t height = exact ? 2 * hidden_.size(2) : skips_.back().size(2);
    const int64_t width = exact ? 2 * hidden_.size(3) : skips_.back().size(3);
    if (height == 2 * hidden_.size(2) && width == 2 * hidden_.size(3)) {
      hidden_ = layers::conv2d_doubled(stage.resample, hidden_);
    } else {
      hidden_ = layers::enlarge(hidden_, height, width);
      hidden_ = layers::conv2d(stage.resample, hidden_);
    }
  }

  at::Tensor hidden_;
  const BoundTimes& times_;
  const BoundContext& text_;
  int64_t copies_, parted_ = 1;  // still to be made; made
  bool recompute_;
  const Cell* kept_;
  size_t resnet_ = 0, transformer_ = 0;
  std::vector<at::Tensor> skips_;
};

at::Tensor UNet::forward(const at::Tensor& latents, const BoundTimes& times, const BoundContext& text) const {
  const ops::ScopedForm form(preparation_.ops, preparation_.products);
  const ops::Span span(ops::SpanKind::network, "unet");
  const auto x =
      ops::contiguous(ops::to_type(latents.to(preparation_.device), preparation_.type), at::MemoryFormat::ChannelsLast);
  // What the last cell keeps is wanted first by the backward pass, when the most is kept anyway: again would save nothing.
  const auto& cells = stages_.back().cells;
  const Cell* last = cells.empty() || cells.back().spec->repeat > 1 ? nullptr : &cells.back();
  Run run(layers::conv2d(conv_in_, x), times, text, preparation_.recompute_cells, last);
  for (const Stage& stage : stages_) run.stage(stage);
  const auto normed =
      layers::group_norm(norm_out_, run.finish(), {}, {spec_.groups, spec_.norm_out_eps, /*silu=*/true});
  return ops::to_type(layers::conv2d(conv_out_, normed), preparation_.result_type());
}

void UNet::replace(const std::string& name, const at::Tensor& value) { index_.replace(name, value); }

}  // namespace fresco::unet
