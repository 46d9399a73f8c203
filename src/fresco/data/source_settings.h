#pragma once
// Where pictures with captions come from, which of them are taken, and what size they are brought to. Part of a recipe.
#include <cstdint>
#include <optional>
#include <string>

namespace fresco::data {

/// Samples that a source keeps. Errors in a sample's own JSON (a missing score) drop it.
struct FilterSettings {
  int64_t min_side = 0;                      // pixels of the shorter side
  double max_aspect = 0;                     // longer over shorter side; 0: any
  int64_t min_caption = 0, max_caption = 0;  // characters; 0: any
  std::string caption_has;                   // a text in it, in upper or lower case; empty: any
  std::string score;                         // a number in the sample's JSON, such as "AESTHETIC_SCORE"
  std::optional<double> min_score, max_score;
};

/// One of: a folder of pictures with .txt beside them or a metadata.jsonl; tar shards in webdataset's form ("shards/{00000..00041}.tar", a
/// glob, or http URLs); "shapes", which is drawn as it is read.
struct SourceSettings {
  std::string path;
  int64_t count = 0;  // shapes: pictures; others: at most so many, 0 for all
  uint64_t seed = 0;  // shapes
  FilterSettings filters;
};

struct FitSettings {
  int64_t resolution = 512;  // side of a square; with buckets, the square root of their area
  bool buckets = false;      // sizes of other aspects, in steps of 64 pixels
  double max_bucket_aspect = 2;
  bool flip = false;  // mirrored half of the time, anew at every visit
};

}  // namespace fresco::data
