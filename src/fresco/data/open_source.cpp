// From the words of a recipe to samples that can be read.
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/data/shapes.h"
#include "fresco/data/shard_names.h"
#include "fresco/data/source.h"
#include "fresco/data/stored_samples.h"
#include "fresco/image/read_write.h"

namespace fresco::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kShapes = "shapes";
constexpr int64_t kLeastShapes = 8, kLargestShapes = 4096;  // pixels of a side

/// Scenes that are drawn when they are asked for, as large as they are wanted.
class ShapesSource : public Source {
 public:
  explicit ShapesSource(const SourceSettings& settings) : seed_(settings.seed), count_(settings.count) {}
  int64_t size() const override { return count_; }
  std::string key(int64_t index) const override { return fmt::format("shapes/{}/{}", seed_, index); }
  image::PictureSize picture_size(int64_t) const override { return {kLargestShapes, kLargestShapes}; }
  std::string caption(int64_t index) const override { return scene(index).caption; }
  Json attributes(int64_t index) const override { return shapes::attributes(scene(index)); }
  image::Picture picture(int64_t index, image::PictureSize least) const override {
    return shapes::draw_scene(scene(index),
                              std::clamp(std::max(least.width, least.height), kLeastShapes, kLargestShapes));
  }

 private:
  shapes::Scene scene(int64_t index) const { return shapes::scene(seed_, static_cast<uint64_t>(index)); }

  uint64_t seed_;
  int64_t count_;
};

class StoredSource : public Source {
 public:
  StoredSource(std::vector<fs::path> files, std::vector<StoredSample> samples)
      : files_(std::move(files)), samples_(std::move(samples)) {}

  int64_t size() const override { return std::ssize(samples_); }
  std::string key(int64_t index) const override { return at(index).key; }
  image::PictureSize picture_size(int64_t index) const override { return at(index).picture_size; }

  std::string caption(int64_t index) const override {
    const StoredSample& sample = at(index);
    if (sample.caption) return *sample.caption;
    if (sample.text) return stored_text(reader(*sample.text), *sample.text, sample.key);
    if (!sample.json) return {};
    return caption_in(stored_json(reader(*sample.json), *sample.json, sample.key)).value_or("");
  }

  Json attributes(int64_t index) const override {
    const StoredSample& sample = at(index);
    if (!sample.json) return sample.attributes;
    return without_caption(stored_json(reader(*sample.json), *sample.json, sample.key));
  }

  image::Picture picture(int64_t index, image::PictureSize least) const override {
    const StoredSample& sample = at(index);
    const std::string bytes = reader(sample.picture).read(sample.picture.offset, sample.picture.size);
    return image::read_picture_at_least(std::as_bytes(std::span(bytes)), sample.key, least);
  }

 private:
  const StoredSample& at(int64_t index) const { return samples_.at(static_cast<size_t>(index)); }

  /// A file that was there when the source was opened.
  SliceReader reader(const Slice& slice) const {
    try {
      return SliceReader(files_[slice.file]);
    } catch (const InputError& error) {
      throw FormatError(error.where(), "gone since the data set was opened");
    }
  }

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
