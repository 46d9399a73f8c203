// A folder of pictures, with captions beside them or in a metadata.jsonl as Hugging Face's datasets writes it.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/data/stored_samples.h"

namespace fresco::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetadata = "metadata.jsonl";

/// Paths relative to the folder, sorted by their bytes; hidden files and folders are passed over.
std::vector<std::string> files_below(const fs::path& folder, const Observer& observer) {
  std::vector<std::string> names;
  std::error_code failed;
  fs::recursive_directory_iterator walk(folder, fs::directory_options::skip_permission_denied, failed);
  if (failed) throw InputError(folder.string(), "cannot read this folder: " + failed.message());
  for (const auto end = fs::recursive_directory_iterator(); walk != end; walk.increment(failed)) {
    if (failed) throw InputError(folder.string(), "cannot read this folder: " + failed.message());
    if (names.size() % 1024 == 0) check_cancelled(observer);
    if (walk->path().filename().string().starts_with('.')) {
      walk.disable_recursion_pending();
      continue;
    }
    if (walk->is_regular_file(failed)) names.push_back(walk->path().lexically_relative(folder).generic_string());
    failed.clear();
  }
  std::ranges::sort(names);
  return names;
}

class FolderLister {
 public:
  FolderLister(const fs::path& folder, SkipReport& report, Observer& observer)
      : folder_(folder), report_(report), observer_(observer) {}

  StoredSamples list() {
    const auto names = files_below(folder_, observer_);
    if (std::ranges::binary_search(names, std::string(kMetadata))) read_metadata();
    for (const std::string& name : names) {
      if (names_picture(name)) add(name, names);
    }
    for (const auto& [name, line] : lines_) {
      if (line.used) continue;
      ++report_.found;
      report_.add(fmt::format("{}/{} line {}", folder_.string(), kMetadata, line.number), "picture not there",
                  fmt::format("no picture {} beside it", printable(name)));
    }
    return std::move(found_);
  }

 private:
  struct Line {
    int64_t number = 0;
    Json json;
    bool used = false;
  };

  void read_metadata() {
    std::ifstream stream(folder_ / kMetadata, std::ios::binary);
    std::string text;
    for (int64_t number = 1; std::getline(stream, text); ++number) {
      if (text.find_first_not_of(" \t\r") == text.npos) continue;
      const std::string where = fmt::format("{}/{} line {}", folder_.string(), kMetadata, number);
      try {
        Json json = parse_json(text, where);
        if (!json.is_object()) throw FormatError(where, expected_got("an object", json.type_name()));
        const auto name = json_value<std::string>(json, "file_name", "", where);
        if (name.empty()) throw FormatError(where, "expected a file_name, got none");
        lines_[fs::path(name).lexically_normal().generic_string()] = {number, std::move(json), false};
      } catch (const FormatError& error) {
        ++report_.found;
        report_.add(where, "broken line of metadata", error.what());
      }
    }
  }

  void add(const std::string& name, const std::vector<std::string>& names) {
    ++report_.found;
    StoredSample sample;
    sample.key = name;
    sample.picture = slice_of(name);
    const auto line = lines_.find(name);
    if (line != lines_.end()) {
      line->second.used = true;
      sample.caption = caption_in(line->second.json);
      sample.attributes = without_caption(std::move(line->second.json));
    }
    const std::string text = name.substr(0, name.rfind('.')) + ".txt";
    if (!sample.caption && std::ranges::binary_search(names, text)) sample.text = slice_of(text);
    const std::string where = (folder_ / name).string();
    try {
      sample.picture_size = stored_picture_size(SliceReader(where), sample.picture, where);
      if (sample.text)
        sample.caption = stored_text(SliceReader(folder_ / text), *sample.text, (folder_ / text).string());
      sample.caption_length = sample.caption ? characters(*sample.caption) : 0;
      found_.samples.push_back(std::move(sample));
    } catch (const Error& error) {
      report_.add(where, "broken picture", error.what());
    }
  }

  Slice slice_of(const std::string& name) {
    std::error_code failed;
    const fs::path file = folder_ / name;
    const auto size = fs::file_size(file, failed);
    found_.files.push_back(file);
    return {static_cast<uint32_t>(found_.files.size() - 1), 0, failed ? 0 : size};
  }

  const fs::path& folder_;
  SkipReport& report_;
  Observer& observer_;
  std::map<std::string, Line> lines_;  // by file name
  StoredSamples found_;
};

}  // namespace

StoredSamples list_folder(const fs::path& folder, SkipReport& report, Observer& observer) {
  return FolderLister(folder, report, observer).list();
}

}  // namespace fresco::data
