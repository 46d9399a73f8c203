#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/error.h"
#include "fresco/core/memory.h"
#include "fresco/image/planes.h"
#include "fresco/image/preview.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/profile.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/prompts.h"
#include "fresco/pipeline/resolve.h"
#include "fresco/pipeline/run.h"
#include "fresco/pipeline/start.h"
#include "fresco/pipeline/torch_errors.h"

namespace fresco::pipeline {
namespace {

constexpr int64_t kLargestBatch = 8;
constexpr uint64_t kLeanDecoding = uint64_t{1} << 30;  // bytes: 512x512 with Stable Diffusion's decoder

// Some of a request's pictures, drawn together.
struct Batch {
  PictureRange range;
  int of = 1;  // batches in all
  std::vector<std::string> prompts, negatives;
  std::vector<uint64_t> seeds;
  std::vector<Generator> generators;
};

uint64_t element_bytes(const Model::Impl& model) { return c10::elementSize(model.preparation.type); }

// Memory for one picture of the batch, and how much there is.
int64_t pictures_at_once(const Model::Impl& model, const Resolved& resolved, const DrawRequest& request) {
  const auto all = static_cast<int64_t>(resolved.prompts.size());
  if (request.generators.size() == 1 || request.on_row) return all;
  if (request.batch > 0) return std::min<int64_t>(request.batch, all);
  const uint64_t one = activation_bytes(model.specs, 1, resolved.width, resolved.height, element_bytes(model)).most();
  const auto fit = static_cast<int64_t>(available_memory_bytes() / 2 / std::max<uint64_t>(one, 1));
  return std::clamp<int64_t>(fit, 1, std::min(kLargestBatch, all));
}

bool decodes_in_tiles(const Model::Impl& model, const Resolved& resolved, const DrawRequest& request) {
  if (request.tiling != Tiling::automatic) return request.tiling == Tiling::always;
  const uint64_t whole =
      activation_bytes(model.specs, 1, resolved.width, resolved.height, element_bytes(model)).picture;
  return whole > (model.preparation.leave_stored ? kLeanDecoding : available_memory_bytes());
}

// All activations of the drawing; its own, so that a model may draw on several threads.
ops::Arena make_arena(const Model::Impl& model, const Resolved& resolved, const DrawRequest& request,
                      int64_t pictures) {
  if (!model.preparation.device.is_cpu()) return ops::Arena();
  const auto needed = [&](int64_t width, int64_t height) {
    return activation_bytes(model.specs, pictures, width, height, element_bytes(model));
  };
  const int64_t tile = vae::Tiling{}.tile * model.specs.vae.scale();
  const auto whole = needed(resolved.width, resolved.height);
  const uint64_t decoding = decodes_in_tiles(model, resolved, request)
                                ? needed(std::min(resolved.width, tile), std::min(resolved.height, tile)).picture
                                : whole.picture;
  return ops::Arena(static_cast<int64_t>(std::max(whole.denoising, decoding)));
}

template <typename T>
std::vector<T> part(const std::vector<T>& all, PictureRange range) {
  return {all.begin() + range.first, all.begin() + range.first + range.count};
}

std::vector<Generator> generators_of(const DrawRequest& request, const std::vector<uint64_t>& seeds,
                                     PictureRange range) {
  if (request.generators.size() == 1) return request.generators;
  if (!request.generators.empty()) return part(request.generators, range);
  std::vector<Generator> generators;
  for (const uint64_t seed : seeds) generators.emplace_back(seed);
  return generators;
}

std::vector<Batch> batches(const Resolved& resolved, const DrawRequest& request, int64_t at_once) {
  const auto all = static_cast<int64_t>(resolved.prompts.size());
  std::vector<Batch> list;
  for (int64_t first = 0; first < all; first += at_once) {
    const PictureRange range{first, std::min(all - first, at_once)};
    const auto seeds = part(resolved.seeds, range);
    list.push_back({.range = range,
                    .prompts = part(resolved.prompts, range),
                    .negatives = part(resolved.negatives, range),
                    .seeds = seeds,
                    .generators = generators_of(request, seeds, range)});
  }
  for (Batch& batch : list) batch.of = static_cast<int>(list.size());
  return list;
}

image::Picture quick_picture(const Model::Impl& model, const at::Tensor& sample) {
  const auto first = sample[0].to(at::kCPU, at::kFloat).contiguous();
  const float* values = first.const_data_ptr<float>();
  const bool known = std::abs(model.specs.vae.scaling_factor - 0.18215) < 1e-9 && first.size(0) == 4;
  const auto colours =
      known ? image::stable_diffusion_colours() : image::spread_colours(values, first.size(1), first.size(2));
  return image::preview(values, first.size(1), first.size(2), colours, model.specs.vae.scale());
}

Values values_of(const at::Tensor& tensor) {
  const auto plain = tensor.to(at::kCPU, at::kFloat).contiguous();
  return {plain.sizes().vec(), {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()}};
}

// Inpainting's hook first, then what the caller wants to see.
DenoiseHooks with_callbacks(DenoiseHooks hooks, const Model::Impl& model, const DrawRequest& request) {
  if (!request.preview && !request.after_row) return hooks;
  hooks.after_row = [inner = hooks.after_row, &model, &request, index = 0](const sampling::Row& row,
                                                                           at::Tensor& sample) mutable {
    if (inner) inner(row, sample);
    if (request.preview) request.preview(quick_picture(model, sample));
    if (request.after_row) request.after_row(index, values_of(sample));
    ++index;
  };
  return hooks;
}

// What a caller's on_row made of a state: refused unless the next row can go on from it.
void check_state(const at::Tensor& latents, const at::Tensor& was, const at::Tensor& context,
                 const at::Tensor& context_was, double guidance) {
  if (!latents.defined() || latents.sizes() != was.sizes())
    throw InputError("on_row", expected_got("latents of shape " + checkpoint::to_string(was.sizes().vec()),
                                            latents.defined() ? checkpoint::to_string(latents.sizes().vec()) : "none"));
  auto wanted = context_was.sizes().vec();
  wanted[0] = was.size(0) * (guidance > 1 ? 2 : 1);
  if (!context.defined() || context.sizes() != wanted)
    throw InputError("on_row", expected_got(fmt::format("context of shape {} at guidance {:g}",
                                                        checkpoint::to_string(wanted), guidance),
                                            context.defined() ? checkpoint::to_string(context.sizes().vec()) : "none"));
}

// A caller's on_row sees ordinary tensors, which it may write to.
std::function<bool(int, const sampling::Row&, at::Tensor&, Guidance&)> control_of(const Model::Impl& model,
                                                                                  const DrawRequest& request,
                                                                                  const EncodedTexts& texts, int rows) {
  if (!request.on_row) return {};
  return [&model, &request, rows, context = texts.context.index_select(0, texts.rows)](
             int index, const sampling::Row& row, at::Tensor& sample, Guidance& guidance) mutable {
    bool stop = false;
    const auto sample_was = sample, context_was = context;
    pipeline::RowState state{index, rows, row.timestep, sample, context, guidance.scale, stop};
    request.on_row(state);
    check_state(sample, sample_was, context, context_was, guidance.scale);
    sample = sample.to(sample_was.device(), at::kFloat).contiguous();
    if (!context.is_same(context_was)) guidance.text = model.unet.bind(context.to(context_was.options()));
    return stop;
  };
}

// [B, 4, h, w] final latents -> [B, 3, H, W] in 0..1, a picture at a time: decoding takes more memory than denoising.
at::Tensor decode(const Model::Impl& model, const Resolved& resolved, const DrawRequest& request,
                  const at::Tensor& latents, Observer& observer) {
  const auto& spec = model.specs.vae;
  const auto clean = latents / spec.scaling_factor + spec.shift_factor;
  const bool tiled = decodes_in_tiles(model, resolved, request);
  std::vector<at::Tensor> pictures;
  for (int64_t b = 0; b < clean.size(0); ++b) {
    check_cancelled(observer);
    release_freed_memory();  // the decoder's pictures are too large for what the U-Net or another decoding freed
    const auto one = clean.narrow(0, b, 1);
    pictures.push_back(
        (tiled ? model.vae.decode_tiled(one, {}, [&] { check_cancelled(observer); }) : model.vae.decode(one))
            .to(at::kCPU));
  }
  return (at::cat(pictures) / 2 + 0.5).clamp(0, 1).contiguous();
}

struct BatchResult {
  at::Tensor latents, image;
};

BatchResult draw_batch(const Model::Impl& model, const Resolved& resolved, const DrawRequest& request,
                       const Batch& batch, Run& run, Drawing& drawing) {
  NoiseStream noise(batch.generators, batch.range.count);
  Guidance guidance{.scale = resolved.guidance, .rescale = resolved.guidance_rescale};
  const auto texts = run.stage("tokenize", [&] {
    using Texts = std::vector<std::string>;
    return tokenize(model.tokenizer, request.prompt_embeds ? Texts() : batch.prompts,
                    guidance.on() && !request.negative_prompt_embeds ? batch.negatives : Texts(),
                    model.specs.text.positions, run.observer());
  });
  EncodedTexts encoded;
  guidance.text = run.stage("encode text", [&] {
    encoded = with_embeds(model, encode(model, texts, resolved.clip_skip), request, guidance.on(), batch.range);
    return bind(model, encoded);
  });
  const auto start =
      run.stage("make latents", [&] { return make_start(model, resolved, request, batch.range, noise); });
  auto hooks = with_callbacks(start.hooks, model, request);
  hooks.control = control_of(model, request, encoded, static_cast<int>(resolved.plan.rows.size()));
  hooks.rows_before = static_cast<int>(drawing.step_seconds.size());
  hooks.rows_in_all = static_cast<int>(resolved.plan.rows.size()) * batch.of;
  const auto result = run.stage("denoise", [&] {
    return denoise(model.unet, resolved.plan, guidance, start.latents, noise, hooks, run.observer());
  });
  drawing.step_seconds.insert(drawing.step_seconds.end(), result.step_seconds.begin(), result.step_seconds.end());
  if (!request.decode) return {result.latents, {}};
  const auto image =
      run.stage("decode", [&] { return decode(model, resolved, request, result.latents, run.observer()); });
  return {result.latents, image};
}

Json record(const Model::Impl& model, const Resolved& resolved, const DrawRequest& request) {
  Json settings = settings_json(resolved, request);
  settings["model"] = model.files.given;
  settings["family"] = checkpoint::name(model.files.family);
  settings["device"] = name(model.device);
  settings["precision"] = name(model.precision);
  settings["memory"] = name(model.preparation.leave_stored ? Memory::lean : Memory::fast);
  settings["ops"] = model.preparation.ops;
  if (model.preparation.calibration) settings["kept_in_bf16"] = model.preparation.calibration->kept();
  settings["threads"] = at::get_num_threads();
  return settings;
}

void add_pictures(Drawing& drawing, const Batch& batch, const at::Tensor& image) {
  for (size_t i = 0; i < batch.prompts.size(); ++i) {
    const auto planes = image[static_cast<int64_t>(i)].contiguous();
    drawing.pictures.push_back({image::from_planes(planes.const_data_ptr<float>(), 3, image.size(2), image.size(3)),
                                batch.prompts[i], batch.seeds[i]});
  }
}

// A profile asks for the time when a GPU is done, not when its work was handed over.
void settle_profile(const Model::Impl& model) {
  ops::Profiler* const profiler = ops::Profiler::current();
  if (profiler == nullptr || !model.preparation.device.is_cuda()) return;
  profiler->set_settle([] { at::detail::getCUDAHooks().deviceSynchronize(0); });
}

}  // namespace

Drawing Model::draw(const DrawRequest& request, Observer& observer) const {
  return with_plain_errors([&] {
    const c10::InferenceMode no_gradients;
    const Resolved resolved = resolve(impl_->specs, impl_->files, request);
    settle_profile(*impl_);
    Run run(observer);
    Drawing drawing;
    std::vector<at::Tensor> latents, images;
    const int64_t at_once = pictures_at_once(*impl_, resolved, request);
    const ops::Arena arena = make_arena(*impl_, resolved, request, at_once);
    const ops::ScopedArena scope(&arena);
    for (const Batch& batch : batches(resolved, request, at_once)) {
      auto result = draw_batch(*impl_, resolved, request, batch, run, drawing);
      latents.push_back(result.latents);
      if (!request.decode) continue;
      add_pictures(drawing, batch, result.image);
      images.push_back(result.image);
    }
    drawing.latents = values_of(at::cat(latents));
    if (request.decode) drawing.image = values_of(at::cat(images));
    drawing.settings = record(*impl_, resolved, request);
    drawing.stages = std::move(run).times();
    return drawing;
  });
}

void check_request(const checkpoint::ModelFiles& files, const DrawRequest& request) {
  resolve(read_specs(files), files, request);
}

}  // namespace fresco::pipeline
