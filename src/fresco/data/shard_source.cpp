// Tar shards in webdataset's form: members whose names are equal up to the first dot are one sample.
#include <fmt/format.h>

#include "fresco/core/ascii.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/sha256.h"
#include "fresco/data/fetch_shard.h"
#include "fresco/data/shard_names.h"
#include "fresco/data/stored_samples.h"
#include "fresco/data/tar_reader.h"

namespace fresco::data {
namespace {

namespace fs = std::filesystem;

constexpr int kIndexVersion = 1;

/// What a shard holds, with the first few that it lacks: kept between runs.
struct ShardList {
  std::vector<StoredSample> samples;
  SkipReport report;
};

/// "a/b.c/000123.jpg" -> "a/b.c/000123" and ".jpg"; both empty for a name without either.
std::pair<std::string, std::string> key_and_extension(const std::string& name) {
  const size_t slash = name.rfind('/');
  const size_t start = slash == name.npos ? 0 : slash + 1;
  const size_t dot = name.find('.', start);
  if (dot == name.npos || dot == start) return {};
  return {name.substr(0, dot), lower_ascii(name.substr(dot))};
}

class ShardLister {
 public:
  ShardLister(const fs::path& file, std::string shown) : file_(file), reader_(file), shown_(std::move(shown)) {}

  ShardList list() {
    for (const TarMember& member : list_tar(file_)) {
      auto [key, extension] = key_and_extension(member.name);
      if (key.empty()) continue;
      if (key != key_) finish();
      key_ = std::move(key);
      take(extension, {0, member.offset, member.size});
    }
    finish();
    return std::move(list_);
  }

 private:
  void take(const std::string& extension, const Slice& slice) {
    if (extension == ".txt")
      sample_.text = slice;
    else if (extension == ".json")
      sample_.json = slice;
    else if (extension.find('.', 1) == extension.npos && names_picture(extension) && !has_picture_)
      sample_.picture = slice, has_picture_ = true;
  }

  void finish() {
    if (has_picture_ || sample_.text || sample_.json) {
      ++list_.report.found;
      sample_.key = shown_ + "/" + key_;
      add();
    }
    sample_ = {};
    has_picture_ = false;
  }

  void add() {
    if (!has_picture_) return list_.report.add(sample_.key, "no picture", "no .jpg, .png or .webp");
    try {
      sample_.picture_size = stored_picture_size(reader_, sample_.picture, sample_.key);
    } catch (const FormatError& error) {
      return list_.report.add(sample_.key, "broken picture", error.what());
    }
    try {
      sample_.caption_length = caption_length();
      list_.samples.push_back(std::move(sample_));
    } catch (const FormatError& error) {
      list_.report.add(sample_.key, "broken caption", error.what());
    }
  }

  int64_t caption_length() const {
    if (sample_.text) return characters(stored_text(reader_, *sample_.text, sample_.key + ".txt"));
    if (!sample_.json) return 0;
    const auto caption = caption_in(stored_json(reader_, *sample_.json, sample_.key + ".json"));
    return caption ? characters(*caption) : 0;
  }

  const fs::path& file_;
  SliceReader reader_;
  std::string shown_;
  std::string key_;
  StoredSample sample_;
  bool has_picture_ = false;
  ShardList list_;
};

// ---- The list kept in the cache -----------------------------------------------------------------------

Json to_json(const std::optional<Slice>& slice) { return slice ? Json::array({slice->offset, slice->size}) : Json(); }

std::optional<Slice> slice_from(const Json& json) {
  if (json.is_null()) return {};
  return Slice{0, json.at(0).get<uint64_t>(), json.at(1).get<uint64_t>()};
}

Json to_json(const ShardList& list) {
  Json samples = Json::array(), skipped = Json::array();
  for (const StoredSample& each : list.samples) {
    samples.push_back({each.key, to_json(each.picture), each.picture_size.width, each.picture_size.height,
                       to_json(each.text), to_json(each.json), each.caption_length});
  }
  for (const auto& each : list.report.first) skipped.push_back({each.where, each.reason});
  return {{"samples", samples}, {"found", list.report.found}, {"counts", list.report.counts}, {"skipped", skipped}};
}

ShardList list_from(const Json& json) {
  ShardList list;
  for (const Json& each : json.at("samples")) {
    StoredSample sample;
    sample.key = each.at(0).get<std::string>();
    sample.picture = slice_from(each.at(1)).value();
    sample.picture_size = {each.at(2).get<int64_t>(), each.at(3).get<int64_t>()};
    sample.text = slice_from(each.at(4));
    sample.json = slice_from(each.at(5));
    sample.caption_length = each.at(6).get<int64_t>();
    list.samples.push_back(std::move(sample));
  }
  list.report.found = json.at("found").get<int64_t>();
  list.report.counts = json.at("counts").get<std::map<std::string, int64_t>>();
  for (const Json& each : json.at("skipped"))
    list.report.first.push_back({each.at(0).get<std::string>(), each.at(1).get<std::string>()});
  return list;
}

/// What the list depends on: another file, or another time or size of it, has another name in the cache.
fs::path index_file(const fs::path& shard, const std::string& shown, const fs::path& cache) {
  std::error_code failed;
  const auto size = fs::file_size(shard, failed);
  const auto time = fs::last_write_time(shard, failed).time_since_epoch().count();
  const std::string words =
      fmt::format("{}\n{}\n{}\n{}\n{}", kIndexVersion, fs::absolute(shard, failed).string(), shown, size, time);
  return cache / "indexes" / (sha256_hex(words).substr(0, 32) + ".json");
}

std::optional<ShardList> kept_list(const fs::path& index) {
  std::error_code ignored;
  if (!fs::exists(index, ignored)) return {};
  try {
    constexpr uint64_t kLargest = uint64_t{1} << 30;
    return list_from(Json::parse(read_file(index, kLargest)));
  } catch (const std::exception&) {
    return {};  // written by another program, or damaged: made anew
  }
}

/// Without room or rights the next run lists anew: no reason to stop this one.
void keep_list(const fs::path& index, const ShardList& list) {
  try {
    fs::create_directories(index.parent_path());
    write_file(index, to_json(list).dump(-1, ' ', false, Json::error_handler_t::replace), true);
  } catch (const std::exception&) {
  }
}

ShardList shard_list(const fs::path& file, const std::string& shown, const fs::path& cache) {
  const fs::path index = index_file(file, shown, cache);
  if (auto kept = kept_list(index)) return std::move(*kept);
  ShardList list = ShardLister(file, shown).list();
  keep_list(index, list);
  return list;
}

}  // namespace

StoredSamples list_shards(const std::vector<std::string>& names, const SourceContext& context, SkipReport& report,
                          Observer& observer) {
  StoredSamples all;
  const fs::path cache = context.cache.empty() ? default_cache() : context.cache;
  for (const std::string& name : names) {
    check_cancelled(observer);
    const fs::path file = is_url(name) ? fetch_shard(name, cache, observer) : fs::path(name);
    ShardList list = shard_list(file, fs::path(name).filename().string(), cache);
    const auto number = static_cast<uint32_t>(all.files.size());
    all.files.push_back(file);
    for (StoredSample& sample : list.samples) {
      sample.picture.file = number;
      if (sample.text) sample.text->file = number;
      if (sample.json) sample.json->file = number;
      all.samples.push_back(std::move(sample));
    }
    report.add(list.report);
  }
  return all;
}

}  // namespace fresco::data
