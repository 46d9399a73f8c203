#pragma once
// Samples that lie in files, before they are chosen from: what each source lists.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fresco/core/json.h"
#include "fresco/data/read_slice.h"
#include "fresco/data/source.h"

namespace fresco::data {

/// A part of a file.
struct Slice {
  uint32_t file = 0;  // in StoredSamples::files
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct StoredSample {
  std::string key;
  Slice picture;
  image::PictureSize picture_size;
  std::optional<Slice> text, json;     // of its own, read when they are needed
  std::optional<std::string> caption;  // known already
  Json attributes;
  int64_t caption_length = 0;  // characters; 0: there is none
};

struct StoredSamples {
  std::vector<std::filesystem::path> files;
  std::vector<StoredSample> samples;
};

/// Below a folder, by path: pictures with NAME.txt beside them, or a metadata.jsonl (lines with file_name and text or caption).
/// What is broken goes to `report`. Errors: InputError when it cannot be read or holds no picture.
StoredSamples list_folder(const std::filesystem::path& folder, SkipReport& report, Observer& observer);

/// Of tar shards in webdataset's form, in their order. Errors: see open_source.
StoredSamples list_shards(const std::vector<std::string>& names, const SourceContext& context, SkipReport& report,
                          Observer& observer);

/// Upright, from the first bytes. Errors: FormatError naming `where`.
image::PictureSize stored_picture_size(const SliceReader& file, const Slice& slice, const std::string& where);
/// One of the files, which was there when the source was opened. Errors: FormatError when it is gone.
SliceReader reader_of(const std::vector<std::filesystem::path>& files, const Slice& slice);
/// A caption's file: UTF-8 (what is not becomes U+FFFD), without blanks around it. Errors: FormatError beyond 1 MiB.
std::string stored_text(const SliceReader& file, const Slice& slice, const std::string& where);
/// Errors: FormatError for what is not JSON, or beyond 1 MiB.
Json stored_json(const SliceReader& file, const Slice& slice, const std::string& where);
int64_t characters(std::string_view utf8);

/// A sample's caption, wherever it stands; empty when it has none. Errors: as stored_text and stored_json; FormatError when a file is gone.
std::string stored_caption(const std::vector<std::filesystem::path>& files, const StoredSample& sample);

/// The samples that the settings keep; those that are left out go to the report. files: of `all`.
std::vector<StoredSample> filtered(const StoredSamples& all, const SourceSettings& settings, bool needs_captions,
                                   SkipReport& report);

/// Whether a file of this name is a picture that fresco reads; by extension, in any case.
bool names_picture(std::string_view name);

/// A picture's caption in its JSON: "caption" or "text"; nothing when neither is a string.
std::optional<std::string> caption_in(const Json& json);
/// Without the keys that hold caption and file name; null when nothing is left.
Json without_caption(Json json);

}  // namespace fresco::data
