// From the words of a recipe to samples that can be read.
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/data/filters.h"
#include "fresco/data/shapes.h"
#include "fresco/data/shard_names.h"
#include "fresco/data/source.h"
#include "fresco/data/stored_samples.h"
#include "fresco/image/read_write.h"

namespace fresco::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kShapes = "shapes";
constexpr int64_t kTriesForOne = 100;                       // scenes looked at for each that a filter is to keep
constexpr int64_t kLeastShapes = 8, kLargestShapes = 4096;  // pixels of a side

/// Scenes that are drawn when they are asked for, as large as they are wanted.
class ShapesSource : public Source {
 public:
  explicit ShapesSource(const SourceSettings& settings) : seed_(settings.seed), count_(settings.count) {
    if (!filtered_captions(settings.filters)) return;
    const int64_t most = kTriesForOne * settings.count;
    for (int64_t index = 0; std::ssize(chosen_) < settings.count && index < most; ++index)
      if (keeps(settings.filters, shapes::scene(seed_, static_cast<uint64_t>(index)).caption)) chosen_.push_back(index);
    if (std::ssize(chosen_) < settings.count)
      throw InputError(
          kShapes, fmt::format("the filters keep {} of {} scenes; expected {}", chosen_.size(), most, settings.count));
  }
  int64_t size() const override { return count_; }
  std::string key(int64_t index) const override { return fmt::format("shapes/{}/{}", seed_, place(index)); }
  image::PictureSize picture_size(int64_t) const override { return {kLargestShapes, kLargestShapes}; }
  std::string caption(int64_t index) const override { return scene(index).caption; }
  Json attributes(int64_t index) const override { return shapes::attributes(scene(index)); }
  image::Picture picture(int64_t index, image::PictureSize least) const override {
    return shapes::draw_scene(scene(index),
                              std::clamp(std::max(least.width, least.height), kLeastShapes, kLargestShapes));
  }

 private:
  static bool filtered_captions(const FilterSettings& filters) {
    return filters.min_caption > 0 || filters.max_caption > 0 || !filters.caption_has.empty();
  }
  static bool keeps(const FilterSettings& filters, const std::string& caption) {
    return by_length(characters(caption), filters, false).kind.empty() && by_words(caption, filters).kind.empty();
  }
  int64_t place(int64_t index) const { return chosen_.empty() ? index : chosen_.at(static_cast<size_t>(index)); }
  shapes::Scene scene(int64_t index) const { return shapes::scene(seed_, static_cast<uint64_t>(place(index))); }

  uint64_t seed_;
  int64_t count_;
  std::vector<int64_t> chosen_;  // places in the series; empty: all
};

class StoredSource : public Source {
 public:
  StoredSource(std::vector<fs::path> files, std::vector<StoredSample> samples)
      : files_(std::move(files)), samples_(std::move(samples)) {}

  int64_t size() const override { return std::ssize(samples_); }
  std::string key(int64_t index) const override { return at(index).key; }
  image::PictureSize picture_size(int64_t index) const override { return at(index).picture_size; }

  std::string caption(int64_t index) const override { return stored_caption(files_, at(index)); }

  Json attributes(int64_t index) const override {
    const StoredSample& sample = at(index);
    if (!sample.json) return sample.attributes;
    return without_caption(stored_json(reader_of(files_, *sample.json), *sample.json, sample.key));
  }

  image::Picture picture(int64_t index, image::PictureSize least) const override {
    const StoredSample& sample = at(index);
    const std::string bytes = reader_of(files_, sample.picture).read(sample.picture.offset, sample.picture.size);
    return image::read_picture_at_least(std::as_bytes(std::span(bytes)), sample.key, least);
  }

 private:
  const StoredSample& at(int64_t index) const { return samples_.at(static_cast<size_t>(index)); }

  std::vector<fs::path> files_;
  std::vector<StoredSample> samples_;
};

bool names_shards(const std::string& path) {
  return is_url(path) || path.ends_with(".tar") || path.find_first_of("{*?") != path.npos;
}

/// Tar archives that lie in a folder themselves.
std::vector<std::string> shards_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (entry.path().extension() == ".tar") names.push_back(entry.path().string());
  }
  std::ranges::sort(names);
  return names;
}

StoredSamples list_path(const std::string& path, const SourceContext& context, SkipReport& report, Observer& observer) {
  if (names_shards(path)) return list_shards(shard_names(path), context, report, observer);
  std::error_code none;
  if (!fs::exists(path, none)) throw InputError(printable(path), "no such folder");
  if (!fs::is_directory(path, none))
    throw InputError(printable(path), expected_got("a folder or a .tar archive", "another file"));
  const auto shards = shards_in(path);
  return shards.empty() ? list_folder(path, report, observer) : list_shards(shards, context, report, observer);
}

[[noreturn]] void throw_empty(const std::string& path, const SkipReport& report) {
  if (report.found == 0)
    throw InputError(printable(path), "no pictures there: expected PNG, JPEG or WebP files, or .tar shards of them");
  const auto without = report.counts.find("without a caption");
  if (without != report.counts.end() && without->second == report.found) {
    throw InputError(
        printable(path),
        fmt::format("none of {} pictures has a caption: expected NAME.txt beside NAME.jpg, or \"text\" in a "
                    "metadata.jsonl or in its JSON",
                    report.found));
  }
  throw InputError(printable(path), "no sample is left: " + report.text());
}

}  // namespace

std::unique_ptr<Source> open_source(const SourceSettings& settings, const SourceContext& context, SkipReport& report,
                                    Observer& observer) {
  if (settings.path == kShapes) {
    if (settings.count < 1)
      throw InputError(kShapes, expected_got("a count of pictures to draw", std::to_string(settings.count)));
    report.found += settings.count;
    return std::make_unique<ShapesSource>(settings);
  }
  SkipReport own;
  StoredSamples all = list_path(settings.path, context, own, observer);
  auto kept = filtered(all, settings, context.needs_captions, own);
  if (kept.empty()) throw_empty(settings.path, own);
  report.add(own);
  return std::make_unique<StoredSource>(std::move(all.files), std::move(kept));
}

}  // namespace fresco::data
