#include "compare_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compare_prompts.h"
#include "fresco/core/error.h"
#include "fresco/pipeline/inspect.h"
#include "fresco/pipeline/model_specs.h"
#include "prompts.h"
#include "report_folder.h"
#include "targets.h"

namespace fresco::cli {
namespace {

namespace fs = std::filesystem;
using evaluation::MeasureJob;

constexpr size_t kMostPictures = 256;  // of each model: they stand in one page
constexpr size_t kNameBytes = 40;      // of a model in the folder's name

Choices choices_of(const CompareOptions& options, size_t side, const std::string& model) {
  Choices choices = options.sides[side];
  choices.model = model;
  choices.negative = options.common.negative;
  choices.width = options.common.width;
  choices.height = options.common.height;
  choices.device = options.common.device;
  choices.threads = options.common.threads;
  return choices;
}

MeasureJob measure_job(const Choices& c, const CompareOptions& options) {
  MeasureJob job;
  job.load = {.files = {*c.model, c.revision.value_or(""), "", ""},
              .device = parse_device(c.device.value_or("auto")),
              .precision = parse_precision(c.precision.value_or("auto")),
              .memory = parse_memory(c.memory.value_or("fast")),
              .ops = c.ops.value_or("auto"),
              .threads = c.threads.value_or(0)};
  pipeline::DrawRequest& request = job.request;
  request.negative = c.negative.value_or("");
  request.steps = c.steps;
  request.sampler = c.sampler.value_or("");
  request.guidance = c.guidance;
  request.guidance_rescale = c.guidance_rescale;
  request.width = c.width;
  request.height = c.height;
  request.batch = 1;
  job.repeat = options.repeat.value_or(1);
  return job;
}

std::vector<uint64_t> seeds_of(const CompareOptions& options) {
  if (!options.seeds.empty()) {
    if (options.seed || options.count)
      throw InputError("--seeds", "expected without --seed and --count, got one of them beside it");
    return options.seeds;
  }
  std::vector<uint64_t> seeds;
  for (int k = 0; k < options.count.value_or(1); ++k)
    seeds.push_back(static_cast<uint64_t>(options.seed.value_or(1)) + static_cast<uint64_t>(k));
  return seeds;
}

std::vector<std::string> given_prompts(const CompareOptions& options) {
  std::vector<std::string> prompts = options.prompts;
  if (options.prompts_file) {
    for (std::string& prompt : read_prompts(*options.prompts_file)) prompts.push_back(std::move(prompt));
  }
  return prompts;
}

void check_price(const CompareOptions& options) {
  if (options.price_per_hour && *options.price_per_hour <= 0)
    throw InputError("--price-per-hour",
                     expected_got("a number above 0", fmt::format("{:g}", *options.price_per_hour)));
}

/// Each prompt with each seed, prompts first.
void set_pictures(CompareJob& job, const std::vector<std::string>& prompts, const std::vector<uint64_t>& seeds) {
  const size_t count = prompts.size() * seeds.size();
  if (count > kMostPictures)
    throw InputError("fresco compare",
                     fmt::format("expected at most {} pictures of each model, got {} prompts times {} "
                                 "seeds",
                                 kMostPictures, prompts.size(), seeds.size()));
  MeasureJob& first = job.measures[0];
  std::set<std::string> taken;
  for (const std::string& prompt : prompts) {
    for (const uint64_t seed : seeds) {
      first.prompts.push_back(prompt);
      first.seeds.push_back(seed);
      const std::string stem = fmt::format("{}-{}", file_name_part(prompt), seed);
      std::string name = stem;
      for (int number = 2; !taken.insert(name).second; ++number) name = fmt::format("{}-{}", stem, number);
      job.names.push_back(name + ".png");
    }
  }
  job.measures[1].prompts = first.prompts;
  job.measures[1].seeds = first.seeds;
}

std::string side_name(const std::string& model) { return file_name_part(checkpoint::short_name(model), kNameBytes); }

/// What would go wrong with this model only after minutes of work.
pipeline::ModelSpecs check_model(const MeasureJob& job, Observer& observer) {
  const checkpoint::ModelFiles files = checkpoint::open_model(job.load.files, observer);
  pipeline::check_whole(pipeline::inspect(files));
  pipeline::DrawRequest request = job.request;
  request.prompts = {""};
  pipeline::check_request(files, request);
  pipeline::check_memory(files, request, job.load);
  return pipeline::read_specs(files);
}

}  // namespace

CompareJob make_compare_job(const CompareOptions& options, const std::vector<std::string>& models, Observer& observer) {
  check_price(options);
  const std::vector<uint64_t> seeds = seeds_of(options);
  std::vector<std::string> prompts = given_prompts(options);
  CompareJob job;
  for (size_t side = 0; side < 2; ++side) {
    if (models[side].empty())
      throw InputError(side == 0 ? "MODEL_A" : "MODEL_B", "expected a folder, a file or a hub id, got nothing");
    job.choices[side] = choices_of(options, side, models[side]);
    job.measures[side] = measure_job(job.choices[side], options);
  }
  job.folder = options.out ? fs::path(*options.out)
                           : free_folder(fmt::format("compare-{}-{}", side_name(models[0]), side_name(models[1])));
  check_report_folder(job.folder, options.overwrite);
  int64_t narrowest_text = 0;
  for (const MeasureJob& measure : job.measures)
    narrowest_text = std::max(narrowest_text, check_model(measure, observer).text.width);
  if (prompts.empty()) prompts = default_prompts(narrowest_text);
  set_pictures(job, prompts, seeds);
  check_report_files(job.folder, report_files(job.names), options.overwrite);
  return job;
}

}  // namespace fresco::cli
