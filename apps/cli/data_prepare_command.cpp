#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "commands.h"
#include "default_model.h"
#include "fresco/core/error.h"
#include "fresco/core/memory.h"
#include "fresco/core/names.h"
#include "fresco/data/picture_files.h"
#include "fresco/data/prepare_cache.h"
#include "fresco/training/read_recipe.h"
#include "progress_bar.h"
#include "reporter.h"

namespace fresco::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kExamples = R"(Examples:
  fresco data prepare --data photos --model my-model --resolution 512 --buckets --flip --out cache
  fresco data prepare --data 'shards/{00000..00041}.tar' --model my-model --resolution 256 --out cache
  fresco data prepare --recipe my-recipe.yaml --out cache
Stopped at any point, the same command goes on where it was. A recipe's phase reads what `cache` names.)";

struct Options {
  std::vector<std::string> data;
  std::optional<std::string> recipe, phase, model, revision, vae, out, seed, precision, device;
  std::optional<int64_t> resolution, count, batch;
  std::optional<int> threads;
  bool buckets = false, flip = false, verify = false, overwrite = false, json = false, quiet = false;
};

void declare(CLI::App& app, Options& options) {
  app.add_option(
         "--data", options.data,
         "Folders of pictures with .txt beside them or a metadata.jsonl;\ntar shards, a pattern of them or their "
         "addresses; shapes")
      ->type_name("PATH...")
      ->expected(1, 1 << 20);
  add_text(app, "--recipe", options.recipe, "FILE", "Instead of --data: what the recipe's diffusion phases read");
  add_text(app, "--phase", options.phase, "NAME", "Of the recipe's phases this one alone");
  add_text(app, "--model", options.model, "MODEL", "Whose VAE and tokenizer: folder, file or hub id");
  add_text(app, "--vae", options.vae, "MODEL", "Another VAE: folder, file or hub id");
  add_text(app, "--revision", options.revision, "NAME", "Branch, tag or commit of a hub id");
  add_integer(app, "--resolution", options.resolution, 8, 16384, "Side of the squares in pixels (default 512)");
  app.add_flag("--buckets", options.buckets, "Sizes of other aspects too, of about the same area");
  app.add_flag("--flip", options.flip, "Store mirrored pictures too");
  add_integer(app, "--count", options.count, 1, 1'000'000'000,
              "At most so many samples of each --data; of shapes, how many");
  add_text(app, "--seed", options.seed, "N", "Of shapes (default 0)");
  add_text(app, "--out", options.out, "FOLDER", "Where the cache goes; one that was begun goes on");
  add_text(app, "--device", options.device, "auto|cpu|cuda", "Where the VAE runs (default auto)");
  add_text(app, "--precision", options.precision, "auto|f32|bf16|f16", "In which it runs (default auto: f32 on a CPU)");
  add_integer(app, "--batch", options.batch, 1, 65536, "Pictures encoded at once (default: by their size)");
  add_integer(app, "--threads", options.threads, 1, 4096, "Threads of the CPU (default: all processors)");
  app.add_flag("--verify", options.verify, "Read a finished cache through, and mend what is damaged");
  app.add_flag("--overwrite", options.overwrite, "Replace a cache that was made from something else");
  app.add_flag("--json", options.json, "Tell progress and the result as JSON, an object a line");
  app.add_flag("--quiet", options.quiet, "Print only warnings and errors");
  app.footer(kExamples);
}

// One cache to make.
struct Target {
  std::string name;
  std::vector<data::SourceSettings> sources;
  data::FitSettings fit;
  std::filesystem::path out;
};

struct Job {
  pipeline::LoadOptions load;
  std::vector<Target> targets;
};

uint64_t seed_of(const Options& options) {
  if (!options.seed) return 0;
  const auto seed = parse_seed("--seed", *options.seed);
  if (!seed) throw InputError("--seed", expected_got("an integer from 0 on", '"' + printable(*options.seed) + '"'));
  return *seed;
}

Job job_of_data(const Options& options) {
  if (options.data.empty()) throw InputError("--data", "expected it or --recipe, got neither");
  if (options.phase) throw InputError("--phase", "expected --recipe beside it, got --data");
  if (!options.out) throw InputError("--out", "expected the name of a folder, got nothing");
  Target target{.name = *options.out, .out = *options.out};
  for (const std::string& path : options.data)
    target.sources.push_back({.path = path, .count = options.count.value_or(0), .seed = seed_of(options)});
  target.fit = {.resolution = options.resolution.value_or(512), .buckets = options.buckets, .flip = options.flip};
  Job job{.targets = {std::move(target)}};
  job.load.files.model = options.model ? *options.model : default_model();
  return job;
}

void refuse_beside_recipe(const Options& options) {
  const std::pair<const char*, bool> given[] = {
      {"--data", !options.data.empty()},      {"--resolution", options.resolution.has_value()},
      {"--buckets", options.buckets},         {"--flip", options.flip},
      {"--count", options.count.has_value()}, {"--seed", options.seed.has_value()}};
  for (const auto& [name, there] : given)
    if (there) throw InputError(name, "not beside --recipe, which says that");
}

std::vector<const training::Phase*> chosen_phases(const training::Recipe& recipe, const Options& options) {
  std::vector<const training::Phase*> phases;
  bool trained_vae = false;
  for (const auto& phase : recipe.phases) {
    const bool meant = !options.phase || *options.phase == phase.name;
    if (phase.kind == training::PhaseKind::diffusion && meant) {
      if (trained_vae && !options.model)
        throw InputError(recipe.place,
                         fmt::format("phase {}: an earlier phase trains its VAE; `fresco train` prepares it then",
                                     printable(phase.name)));
      phases.push_back(&phase);
    }
    trained_vae = trained_vae || phase.kind == training::PhaseKind::autoencoder;
  }
  if (phases.empty())
    throw InputError(recipe.place, options.phase
                                       ? fmt::format("expected a diffusion phase \"{}\", got none of that name",
                                                     printable(*options.phase))
                                       : "none of its phases reads latents");
  return phases;
}

Job job_of_recipe(const Options& options) {
  refuse_beside_recipe(options);
  const auto recipe = training::read_recipe(*options.recipe);
  const auto phases = chosen_phases(recipe, options);
  Job job;
  job.load.files.model = options.model.value_or(recipe.model);
  const bool one = phases.size() == 1;
  for (const auto* phase : phases) {
    if (phase->cache.empty() && !options.out)
      throw InputError("--out", fmt::format("expected a folder, for phase {} names no cache", printable(phase->name)));
    const std::string out = !phase->cache.empty() ? phase->cache
                            : one                 ? *options.out
                                                  : *options.out + "/" + phase->name;
    job.targets.push_back({phase->name, phase->data, phase->fit, out});
  }
  return job;
}

Job job_of(const Options& options) {
  Job job = options.recipe ? job_of_recipe(options) : job_of_data(options);
  job.load.files.revision = options.revision.value_or("");
  job.load.files.vae = options.vae.value_or("");
  job.load.device = parse_device(options.device.value_or("auto"));
  job.load.precision = parse_precision(options.precision.value_or("auto"));
  job.load.threads = options.threads.value_or(0);
  return job;
}

std::string told(const data::CacheReport& report) {
  std::string text = fmt::format("{} samples", report.samples);
  if (report.skipped > 0) text += fmt::format(", {} skipped", report.skipped);
  if (report.encoded == 0) return text + "; all were there already";
  return text + fmt::format("; {} encoded in {}, {:.1f} a second, the VAE waiting {:.1f} % of it", report.encoded,
                            duration(report.seconds), static_cast<double>(report.encoded) / report.seconds,
                            100 * report.seconds_waited / report.seconds);
}

Json prepare(const Target& target, const data::Encoders& encoders, const Options& options, Reporter& reporter) {
  const data::PictureFiles pictures(target.sources, target.fit, {}, reporter);
  if (const auto left_out = pictures.skipped().text(); !left_out.empty()) reporter.on_warning(left_out);
  const auto report = data::prepare_cache(pictures, encoders,
                                          {.out = target.out,
                                           .mirrored = target.fit.flip,
                                           .overwrite = options.overwrite,
                                           .verify = options.verify,
                                           .batch = options.batch.value_or(0)},
                                          reporter);
  reporter.on_note(fmt::format("{}: {}", target.name, told(report)));
  return {{"out", target.out.string()},      {"samples", report.samples},
          {"skipped", report.skipped},       {"encoded", report.encoded},
          {"seconds", report.seconds},       {"seconds_waited", report.seconds_waited},
          {"vae_sha256", encoders.vae_hash}, {"precision", encoders.precision}};
}

}  // namespace

void data_prepare_command(const Arguments& arguments) {
  CLI::App app(
      "Stores pictures as a VAE's latents, and their captions as tokens, in a folder that training reads:\n"
      "mean and log variance in float16, so that every visit draws its own latents.",
      "fresco data prepare");
  Options options;
  declare(app, options);
  Operands none;
  if (!parse(app, arguments, none)) return;
  const auto start = Clock::now();
  const auto reporter = make_reporter(report_style(options.json, options.quiet));
  const Job job = job_of(options);
  const auto encoders = data::load_encoders(job.load, *reporter);
  Json files = Json::array(), caches = Json::array();
  for (const Target& target : job.targets) {
    caches.push_back(prepare(target, encoders, options, *reporter));
    files.push_back(target.out.string());
  }
  reporter->on_done({{"files", files},
                     {"seconds", std::chrono::duration<double>(Clock::now() - start).count()},
                     {"peak_memory_bytes", peak_memory_bytes()},
                     {"settings", {{"caches", caches}}}});
}

}  // namespace fresco::cli
