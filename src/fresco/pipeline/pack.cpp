#include "fresco/pipeline/pack.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/names.h"
#include "fresco/layers/packed_source.h"
#include "fresco/layers/packing_source.h"
#include "fresco/ops/dispatch.h"
#include "fresco/pipeline/calibrate.h"
#include "fresco/pipeline/inspect.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/torch_errors.h"

namespace fresco::pipeline {
namespace {

namespace fs = std::filesystem;

// What text::Tokenizer reads. tokenizer.json says again what the first two do.
const std::vector<std::string> kVocabulary{"vocab.json", "merges.txt"};
const std::vector<std::string> kSettings{"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"};
constexpr uint64_t kLargestTokenizerFile = 64 << 20;

layers::Preparation preparation_of(LoadOptions options, const checkpoint::ModelFiles& files) {
  options.device = Device::cpu;
  if (options.precision == Precision::f16)
    throw InputError("--precision f16", "expected auto, f32, bf16, int8 or fast; tensors of float16 stay so under f32");
  auto preparation = preparation_for(options, files);
  preparation.leave_stored = true;  // embeddings stay as narrow as they are
  if (preparation.type != at::kFloat)
    throw InputError(fmt::format("--ops {}", options.ops), "nothing to pack for: these operators read plain weights");
  return preparation;
}

// Measures which matrices bear 8-bit integers, unless that is known or there are none.
layers::Preparation calibrated(const PackRequest& request, const checkpoint::ModelFiles& files,
                               layers::Preparation preparation, Observer& observer) {
  const bool i8 = preparation.products == ops::Products::i8;
  if (!i8 && !request.prompts.empty())
    throw InputError("--calibrate", fmt::format("expected --precision int8 or fast beside it, got {}",
                                                name(precision_of(preparation))));
  const auto packed = checkpoint::packed_file(files.unet);
  const bool rounded = packed && packed->header.products == name(Precision::int8);
  if (!i8 || rounded || (preparation.calibration && request.prompts.empty())) return preparation;
  LoadOptions options = request.load;
  options.calibration = std::make_shared<const checkpoint::Calibration>(
      calibrate({.load = request.load, .prompts = request.prompts}, observer));
  return preparation_of(options, files);
}

// At least what the file will take: what is narrow stays so, 8-bit products leave a byte of each value.
uint64_t least_bytes(const checkpoint::ModelFiles& files, const layers::Preparation& preparation) {
  const uint64_t narrow = weight_bytes(files, preparation.products == ops::Products::f32 ? 4 : 1);
  return std::min(narrow, stored_bytes(files));
}

class Packing {
 public:
  Packing(const PackRequest& request, checkpoint::ModelFiles files, const layers::Preparation& preparation,
          Observer& observer)
      : request_(request),
        files_(std::move(files)),
        specs_(read_specs(files_)),
        preparation_(preparation),
        observer_(observer),
        writer_(request.out) {}

  PackResult run() {
    const ops::ScopedForm form(preparation_.ops, preparation_.products);
    header_.isa = name(ops::current_kernels().isa);
    header_.products = name(precision_of(preparation_));
    header_.program = fmt::format("fresco {}", version());
    header_.source = files_.given;
    header_.scheduler = files_.scheduler;
    total_ = stored_bytes(files_);
    part<text::TextEncoder>("text_encoder", files_.text_encoder, specs_.text);
    part<unet::UNet>("unet", files_.unet, specs_.unet);
    part<vae::Vae>("vae", files_.vae, specs_.vae);
    tokenizer();
    observer_.on_stage_start("hash");
    header_.weights_hash = checkpoint::weights_hash(files_, observer_);
    check_cancelled(observer_);
    if (preparation_.calibration) header_.calibration = *preparation_.calibration;
    return {writer_.finish(header_, request_.overwrite), header_.isa, precision_of(preparation_), header_.calibration};
  }

 private:
  template <typename Network, typename Spec>
  void part(const std::string& name, const checkpoint::Part& from, const Spec& spec) {
    auto& part = header_.parts[name];
    part.config = from.config;
    const auto source = layers::open_weights(from.tensors, preparation_, [this](uint64_t bytes) {
      check_cancelled(observer_);
      done_ += bytes;
      observer_.on_transfer({"pack", done_, total_});
    });
    Network(spec, layers::PackingSource(*source, *from.tensors, writer_, part), preparation_);
  }

  void tokenizer() {
    const FileSet& from = files_.tokenizer;
    if (from.none()) return;
    const bool words = from.has(kVocabulary[0]) && from.has(kVocabulary[1]);
    for (const auto& file : words ? kVocabulary : std::vector<std::string>{"tokenizer.json"}) add_file(file);
    for (const auto& file : kSettings) add_file(file);
  }

  void add_file(const std::string& name) {
    if (!files_.tokenizer.has(name)) return;
    const std::string text = files_.tokenizer.read(name, kLargestTokenizerFile);
    header_.tokenizer[name] = writer_.add(std::as_bytes(std::span(text)));
  }

  const PackRequest& request_;
  checkpoint::ModelFiles files_;
  ModelSpecs specs_;
  layers::Preparation preparation_;
  Observer& observer_;
  checkpoint::PackedWriter writer_;
  checkpoint::PackedHeader header_;
  uint64_t done_ = 0, total_ = 0;
};

}  // namespace

PackResult pack(const PackRequest& request, Observer& observer) {
  check_writable(request.out, request.overwrite);
  return with_plain_errors([&] {
    const c10::InferenceMode no_gradients;
    if (request.load.threads > 0) at::set_num_threads(request.load.threads);
    auto files = checkpoint::open_model(request.load.files, observer);
    check_whole(inspect(files));
    const auto asked = preparation_of(request.load, files);
    require_room(request.out.string(), request.out.has_parent_path() ? request.out.parent_path() : fs::path("."),
                 least_bytes(files, asked));
    const auto preparation = calibrated(request, files, asked, observer);
    return Packing(request, std::move(files), preparation, observer).run();
  });
}

}  // namespace fresco::pipeline
