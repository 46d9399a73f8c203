#pragma once
// Pictures with captions by number, wherever they lie. Free of libtorch.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fresco/core/json.h"
#include "fresco/core/observer.h"
#include "fresco/data/source_settings.h"
#include "fresco/image/picture.h"
#include "fresco/image/picture_size.h"

namespace fresco::data {

/// Samples that were found and not taken: how many for which reason, the first few by name.
struct SkipReport {
  struct Skipped {
    std::string where, reason;
  };
  static constexpr size_t kMostNamed = 10;

  int64_t found = 0;
  std::map<std::string, int64_t> counts;  // by kind: "no caption", "broken picture", ...
  std::vector<Skipped> first;

  /// reason: the kind again, or what exactly is wrong.
  void add(std::string where, const std::string& kind, const std::string& reason = {});
  void add(const SkipReport& other);
  int64_t skipped() const;
  /// "7 of 120 samples left out: 4 no caption, 3 broken picture; first a/b.jpg: expected ..."; empty when none was.
  std::string text() const;
};

/// The same samples in the same order whenever it is opened. All may be called from several threads. Errors of picture(), caption() and
/// attributes(): FormatError for a sample that is broken or gone, ResourceError when reading fails.
class Source {
 public:
  virtual ~Source() = default;
  virtual int64_t size() const = 0;
  /// Place and name of a sample: "cats/1.jpg", "00007.tar/000123", "shapes/0/17".
  virtual std::string key(int64_t index) const = 0;
  /// Upright, before anything is decoded.
  virtual image::PictureSize picture_size(int64_t index) const = 0;
  virtual std::string caption(int64_t index) const = 0;
  /// The sample's own JSON, without caption and file name; null without.
  virtual Json attributes(int64_t index) const = 0;
  /// At least as wide and high as `least`, where the picture is.
  virtual image::Picture picture(int64_t index, image::PictureSize least) const = 0;
};

struct SourceContext {
  std::filesystem::path cache;  // of shards from the network and of what lies where in shards; empty: default_cache()
  bool needs_captions = true;   // false: pictures without one are taken too
};

/// $FRESCO_CACHE, else $XDG_CACHE_HOME/fresco, else ~/.cache/fresco.
std::filesystem::path default_cache();

/// What `settings` name, filtered and counted. `report` takes what is left out.
/// Errors: InputError (nothing there, no pictures, no captions, all filtered away), FormatError (a tar archive that is not whole),
/// ResourceError (network, disk), Interrupted.
std::unique_ptr<Source> open_source(const SourceSettings& settings, const SourceContext& context, SkipReport& report,
                                    Observer& observer);

}  // namespace fresco::data
