#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "calibration_report.h"
#include "commands.h"
#include "draw_job.h"
#include "fresco/checkpoint/safetensors.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/memory.h"
#include "fresco/image/grid.h"
#include "fresco/ops/profile_summary.h"
#include "fresco/ops/trace.h"
#include "fresco/pipeline/inspect.h"
#include "fresco/pipeline/model.h"
#include "reporter.h"

namespace fresco::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr size_t kMostPrompts = 100'000;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Pixels that go through the network together when nobody says how many pictures: a processor's caches gain nothing from more than
// one picture of 512x512, a GPU is filled by four.
constexpr int64_t kPixelsAtOnceCpu = int64_t{512} * 512;
constexpr int64_t kPixelsAtOnceCuda = 4 * kPixelsAtOnceCpu;

class DrawRun {
 public:
  DrawRun(const DrawOptions& options, Reporter& reporter)
      : options_(options), reporter_(reporter), job_(make_job(options, reporter)) {}

  void run() {
    check();
    const pipeline::Model model = load();
    if (options_.profile) profiler_.emplace();
    if (job_.random_seed) reporter_.on_note(fmt::format("seed {}", job_.seed));
    const size_t count = job_.prompts.size();
    const size_t at_once = std::min(count, pictures_at_once(model));
    const int portions = static_cast<int>((count + at_once - 1) / at_once);
    for (int portion = 0; portion < portions; ++portion) {
      reporter_.begin_portion(portion, portions);
      const size_t first = static_cast<size_t>(portion) * at_once;
      draw_portion(model, first, std::min(at_once, count - first));
    }
    write_sheet();
    write_latents();
    peak_memory_ = peak_memory_bytes();
    if (profiler_) report_profile(model);
    report_done();
  }

 private:
  /// Everything that can be refused before weights are read.
  void check() {
    const checkpoint::ModelFiles files = checkpoint::open_model(job_.files(), reporter_);
    pipeline::check_whole(pipeline::inspect(files));
    const pipeline::DrawRequest first = job_.portion(0, 1);
    pipeline::check_request(files, first);
    pipeline::check_memory(files, first, load_options());
  }

  pipeline::LoadOptions load_options() const {
    const Choices& c = job_.choices;
    pipeline::LoadOptions options{.files = job_.files(), .ops = c.ops.value_or("auto")};
    options.device = parse_device(c.device.value_or("auto"));
    options.precision = parse_precision(c.precision.value_or("auto"));
    options.memory = parse_memory(c.memory.value_or("fast"));
    options.threads = c.threads.value_or(0);
    options.calibration = read_calibration(c.calibration);
    return options;
  }

  pipeline::Model load() {
    const auto start = Clock::now();
    pipeline::Model model = pipeline::Model::load(load_options(), reporter_);
    const std::optional<int> psnr = model.measured_psnr();
    reporter_.on_load({{"model", job_.model},
                       {"family", checkpoint::name(model.family())},
                       {"device", name(model.device())},
                       {"precision", name(model.precision())},
                       {"psnr_db", psnr ? Json(*psnr) : Json()},
                       {"seconds", seconds_since(start)}});
    if (psnr) {
      reporter_.on_note(fmt::format("precision {}: {} dB PSNR from the exact picture, measured on models/starter-128",
                                    name(model.precision()), *psnr));
    }
    tell_calibration(model);
    if (!job_.model_hash.empty() && model.weights_hash() != job_.model_hash) {
      reporter_.on_warning(
          fmt::format("{}: expected the weights that {} was drawn with (hash {}), got others (hash {})", job_.model,
                      *options_.like, job_.model_hash.substr(0, 10), model.weights_hash().substr(0, 10)));
    }
    return model;
  }

  // Another VAE changes the hash of the weights, and next to nothing of what was measured.
  void tell_calibration(const pipeline::Model& model) {
    const auto* calibration = model.calibration();
    if (calibration == nullptr) return;
    reporter_.on_note(calibration_line(*calibration));
    if (!job_.choices.vae && calibration->weights_hash != model.weights_hash())
      reporter_.on_warning(fmt::format(
          "{}: calibrated for other weights (hash {}) than these (hash {}); "
          "`fresco calibrate` measures them",
          job_.model, printable(calibration->weights_hash.substr(0, 10)), model.weights_hash().substr(0, 10)));
  }

  size_t pictures_at_once(const pipeline::Model& model) const {
    if (job_.batch > 0) return static_cast<size_t>(job_.batch);
    const pipeline::DrawRequest& r = job_.request;
    const int64_t width = r.width.value_or(r.init ? r.init->width : model.defaults().width);
    const int64_t height = r.height.value_or(r.init ? r.init->height : model.defaults().height);
    const int64_t most = model.device() == Device::cuda ? kPixelsAtOnceCuda : kPixelsAtOnceCpu;
    return static_cast<size_t>(std::clamp<int64_t>(most / std::max<int64_t>(width * height, 1), 1, 8));
  }

  void draw_portion(const pipeline::Model& model, size_t first, size_t count) {
    pipeline::DrawRequest request = job_.portion(first, count);
    if (options_.preview) {
      request.preview = [this](const image::Picture& picture) {
        image::write_picture(*options_.preview, picture, {}, true);
      };
    }
    pipeline::Drawing drawing = model.draw(request, reporter_);
    if (settings_.is_null()) settings_ = drawing.settings;
    for (size_t k = 0; k < drawing.pictures.size(); ++k) {
      if (!job_.only || *job_.only == first + k) write_one(model, request, drawing, k, first + k);
    }
    if (options_.save_latents) {
      append(latents_, drawing.latents);
      append(image_, drawing.image);
    }
  }

  void write_one(const pipeline::Model& model, const pipeline::DrawRequest& request, pipeline::Drawing& drawing,
                 size_t k, size_t number) {
    const ops::Span span(ops::SpanKind::stage, "write");
    Record record;
    record.prompt = drawing.pictures[k].prompt;
    record.seed = drawing.pictures[k].seed;
    record.choices = job_.choices;
    take_resolved(record.choices, drawing.settings);
    record.company = {request.prompts, *request.seed, k};
    record.version = version();
    record.model = job_.model;
    record.model_hash = model.weights_hash();
    record.init_sha256 = job_.init_sha256;
    record.mask_sha256 = job_.mask_sha256;
    const fs::path& target = job_.targets.pictures[job_.only ? 0 : number];
    image::Picture& picture = drawing.pictures[k].picture;
    image::WriteOptions texts;
    texts.texts = record_texts(record, drawing.settings);
    image::write_picture(target, picture, texts, options_.overwrite);
    files_.push_back(target.string());
    if (job_.targets.sheet) sheet_.push_back(std::move(picture));
  }

  void write_sheet() {
    if (!job_.targets.sheet) return;
    const ops::Span span(ops::SpanKind::stage, "write");
    image::write_picture(*job_.targets.sheet, image::make_grid(sheet_), {}, options_.overwrite);
    files_.push_back(job_.targets.sheet->string());
  }

  static void append(pipeline::Values& all, const pipeline::Values& part) {
    if (all.shape.empty()) {
      all = part;
      return;
    }
    all.shape[0] += part.shape[0];
    all.data.insert(all.data.end(), part.data.begin(), part.data.end());
  }

  static checkpoint::TensorData as_tensor(const std::string& name, const pipeline::Values& values) {
    return {{name, checkpoint::ElementType::f32, values.shape}, std::as_bytes(std::span(values.data)), nullptr};
  }

  void write_latents() {
    if (!options_.save_latents) return;
    const ops::Span span(ops::SpanKind::stage, "write");
    checkpoint::write_safetensors(*options_.save_latents, {as_tensor("image", image_), as_tensor("latents", latents_)},
                                  {}, options_.overwrite);
    files_.push_back(*options_.save_latents);
  }

  void report_profile(const pipeline::Model& model) {
    profiler_->finish();
    AtomicFile trace(*job_.targets.trace);
    ops::write_trace(*profiler_, "fresco draw --model " + job_.model,
                     [&](std::string_view text) { trace.write(text); });
    trace.commit(options_.overwrite);
    files_.push_back(job_.targets.trace->string());
    const bool here = model.device() == Device::cpu;
    const int threads = settings_.at("threads").get<int>();
    reporter_.on_profile(ops::summarize(*profiler_, here ? ops::measure_machine(threads) : ops::MachineRates()));
  }

  void report_done() {
    settings_["seed"] = job_.seed;
    settings_["prompts"] = job_.prompts;
    settings_["model"] = job_.model;
    reporter_.on_done({{"files", files_},
                       {"seconds", seconds_since(start_)},
                       {"peak_memory_bytes", peak_memory_},
                       {"settings", settings_}});
  }

  Clock::time_point start_ = Clock::now();
  const DrawOptions& options_;
  Reporter& reporter_;
  DrawJob job_;
  Json settings_;
  std::vector<std::string> files_;
  std::vector<image::Picture> sheet_;
  std::optional<ops::Profiler> profiler_;
  uint64_t peak_memory_ = 0;  // without what measuring the machine takes
  pipeline::Values latents_, image_;
};

}  // namespace

void draw_command(const Arguments& arguments) {
  CLI::App app("Draws pictures from sentences.", "fresco draw");
  DrawOptions options;
  declare(app, options);
  Operands prompts{.usage = "PROMPT...", .most = kMostPrompts, .found = {}};
  if (!parse(app, with_profile_value(arguments), prompts)) return;
  options.prompts = std::move(prompts.found);
  const ReportStyle style = report_style(options.json, options.quiet);
  const auto reporter = make_reporter(style);
  DrawRun(options, *reporter).run();
}

}  // namespace fresco::cli
