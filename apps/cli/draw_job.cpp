#include "draw_job.h"

#include <fmt/format.h>

#include <random>
#include <set>

#include "default_model.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/sha256.h"
#include "prompts.h"

namespace fresco::cli {
namespace {

namespace fs = std::filesystem;

// As long as people like to type: 32 bits, which every other program takes too.
uint64_t random_seed() { return std::random_device()(); }

std::vector<std::string> given_prompts(const DrawOptions& options) {
  std::vector<std::string> prompts = options.prompts;
  for (const std::string& prompt : prompts) {
    if (!is_utf8(prompt))
      throw InputError(fmt::format("prompt \"{}\"", printable(prompt, 40)), "expected text in UTF-8, got other bytes");
  }
  if (options.prompts_file) {
    for (std::string& prompt : read_prompts(*options.prompts_file)) prompts.push_back(std::move(prompt));
  }
  return prompts;
}

/// Prompts first: prompt p's pictures follow each other.
std::vector<std::string> repeated(const std::vector<std::string>& prompts, int count) {
  std::vector<std::string> all;
  for (const std::string& prompt : prompts) all.insert(all.end(), static_cast<size_t>(count), prompt);
  return all;
}

void lay_over(Choices& below, const Choices& above) {
  if (above.sampler && above.sampler != below.sampler) {
    // These mean something for the other sampler only.
    below.schedule.reset();
    below.eta.reset();
    below.squeeze.reset();
  }
  const auto overlay = [](const char*, auto& under, const auto& over) {
    if (over) under = over;
  };
  for_each_choice(overlay, below, above);
}

/// A picture that --like's recorded name leads to, from here or from that picture's folder, with the recorded contents.
void find_recorded_input(const char* option, OptionalText& name, const std::string& sha256, const fs::path& like) {
  if (!name) return;
  const std::string where = fmt::format("{} {}", option, *name);
  std::error_code ignored;
  for (const fs::path& place : {fs::path(*name), like.parent_path() / *name}) {
    if (!fs::is_regular_file(place, ignored)) continue;
    if (sha256.empty() || sha256_file(place) == sha256) {
      name = place.string();
      return;
    }
    throw InputError(
        where,
        fmt::format("expected the file that {} was drawn from (SHA-256 {}...), got another; name the right one with {}",
                    like.string(), sha256.substr(0, 10), option));
  }
  throw InputError(
      where, fmt::format("{} was drawn from this file, which is not here; name it with {}", like.string(), option));
}

void start_from_picture(DrawJob& job, const DrawOptions& options, Observer& observer) {
  const fs::path like = *options.like;
  Record record = read_record(like);
  if (!record.exact)
    observer.on_warning(
        fmt::format("{} was not drawn by fresco: expect a picture of that kind, not the same one", like.string()));
  if (record.exact && record.version != version()) {
    observer.on_warning(fmt::format("{} was drawn by fresco {}, this is {}: bytes may differ", like.string(),
                                    record.version, version()));
  }
  const Choices& own = options.choices;
  if (!own.init) find_recorded_input("--init", record.choices.init, record.init_sha256, like);
  if (!own.mask) find_recorded_input("--mask", record.choices.mask, record.mask_sha256, like);
  job.choices = std::move(record.choices);
  job.model_hash = record.model_hash;
  job.seed = record.seed;
  job.prompts = {record.prompt};
  const bool other_pictures = !options.prompts.empty() || options.prompts_file || options.seed_given || options.count;
  if (other_pictures || record.company.prompts.empty()) return;
  job.prompts = record.company.prompts;
  job.seed = record.company.seed;
  job.only = record.company.index;
  job.batch = static_cast<int>(job.prompts.size());
}

void set_prompts_and_seed(DrawJob& job, const DrawOptions& options) {
  std::vector<std::string> prompts = given_prompts(options);
  if (prompts.empty() && !options.like)
    throw InputError("fresco draw", "expected a prompt, --prompts FILE or --like PICTURE, got none of them");
  if (prompts.empty()) prompts = job.prompts;
  job.prompts = repeated(prompts, options.count.value_or(1));
  if (options.seed_given || !options.like) {
    job.random_seed = !options.seed;
    job.seed = options.seed ? *options.seed : random_seed();
  }
  if (options.batch) job.batch = *options.batch;
}

image::Picture read_input(const char* option, const std::string& name, std::string& sha256) {
  const std::string bytes = read_file(name, uint64_t{1} << 30);
  sha256 = sha256_hex(bytes);
  return image::read_picture(std::as_bytes(std::span(bytes)), fmt::format("{} {}", option, name));
}

void read_inputs(DrawJob& job) {
  if (job.choices.mask && !job.choices.init) throw InputError("--mask", "expected --init beside it, got none");
  if (job.choices.strength && !job.choices.init) throw InputError("--strength", "expected --init beside it, got none");
  if (job.choices.init) job.request.init = read_input("--init", *job.choices.init, job.init_sha256);
  if (job.choices.mask) job.request.mask = read_input("--mask", *job.choices.mask, job.mask_sha256);
}

void fill_request(DrawJob& job) {
  const Choices& c = job.choices;
  pipeline::DrawRequest& request = job.request;
  request.negative = c.negative.value_or("");
  request.steps = c.steps;
  request.sampler = c.sampler.value_or("");
  request.schedule = c.schedule.value_or("");
  request.eta = c.eta;
  request.squeeze = c.squeeze.value_or("");
  request.guidance = c.guidance;
  request.guidance_rescale = c.guidance_rescale;
  request.clip_skip = c.clip_skip.value_or(0);
  request.width = c.width;
  request.height = c.height;
  request.strength = c.strength;
}

/// Where --profile writes: the file that it names, or one beside the sheet or the first picture.
fs::path trace_name(const DrawJob& job, const DrawOptions& options) {
  if (*options.profile != kBesidePicture) {
    if (!options.profile->ends_with(".json"))
      throw InputError("--profile",
                       expected_got("a file name that ends in .json", '"' + printable(*options.profile) + '"'));
    return *options.profile;
  }
  fs::path name = job.targets.sheet.value_or(job.targets.pictures.front());
  name.replace_extension(".trace.json");
  std::set<fs::path> taken;
  return options.overwrite ? name : free_name(name, taken);
}

/// No two results under one name, and every one of them can be written.
void check_targets(const DrawJob& job, const DrawOptions& options) {
  std::set<fs::path> taken(job.targets.pictures.begin(), job.targets.pictures.end());
  const auto claim = [&](const std::string& where, const fs::path& target) {
    if (!taken.insert(target).second)
      throw InputError(fmt::format("{} {}", where, target.string()), "another result has this name");
  };
  if (job.targets.sheet) claim("--out", *job.targets.sheet);
  if (options.save_latents) {
    claim("--save-latents", *options.save_latents);
    check_writable(*options.save_latents, options.overwrite, "--save-latents");
  }
  if (job.targets.trace) {
    claim("--profile", *job.targets.trace);
    check_writable(*job.targets.trace, options.overwrite, "--profile");
  }
  if (options.preview) {
    claim("--preview", *options.preview);
    image::check_picture_name(*options.preview, "--preview");
    check_writable(*options.preview, options.overwrite, "--preview");
  }
}

}  // namespace

checkpoint::ModelRequest DrawJob::files() const {
  return {model, choices.revision.value_or(""), choices.vae.value_or(""), choices.config.value_or("")};
}

pipeline::DrawRequest DrawJob::portion(size_t first, size_t count) const {
  pipeline::DrawRequest part = request;
  part.prompts.assign(prompts.begin() + static_cast<std::ptrdiff_t>(first),
                      prompts.begin() + static_cast<std::ptrdiff_t>(first + count));
  part.seed = seed + first;
  part.batch = static_cast<int>(count);  // together, so that drawing one of them again can repeat it
  return part;
}

DrawJob make_job(const DrawOptions& options, Observer& observer) {
  DrawJob job;
  if (options.like) start_from_picture(job, options, observer);
  lay_over(job.choices, options.choices);
  set_prompts_and_seed(job, options);
  job.model = job.choices.model ? *job.choices.model : default_model();
  read_inputs(job);
  fill_request(job);
  TargetRequest wanted{options.out.value_or(""), job.prompts, job.seed, options.grid, options.overwrite};
  if (job.only) {
    wanted.prompts = {job.prompts[*job.only]};
    wanted.seed += *job.only;
  }
  job.targets = plan_targets(wanted);
  if (options.profile) job.targets.trace = trace_name(job, options);
  check_targets(job, options);
  return job;
}

}  // namespace fresco::cli
