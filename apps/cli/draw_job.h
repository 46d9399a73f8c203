#pragma once
// From options, and the picture that --like names, to what is to be drawn: everything that can be settled before a model is opened.
#include <string>
#include <vector>

#include "draw_options.h"
#include "fresco/checkpoint/model_files.h"
#include "fresco/core/observer.h"
#include "fresco/pipeline/draw_request.h"
#include "record.h"
#include "targets.h"

namespace fresco::cli {

struct DrawJob {
  Choices choices;
  std::string model;                 // the one asked for, or the default
  std::vector<std::string> prompts;  // one a picture
  uint64_t seed = 0;                 // picture k has seed + k
  bool random_seed = false;
  std::optional<size_t> only;  // of all these pictures only this one is written (--like)
  int batch = 0;
  std::string model_hash;  // of the picture that --like names; empty: any
  std::string init_sha256, mask_sha256;
  pipeline::DrawRequest request;  // without prompts and seed
  Targets targets;

  checkpoint::ModelRequest files() const;
  /// The request for pictures `first` to `first + count - 1`.
  pipeline::DrawRequest portion(size_t first, size_t count) const;
};

/// Errors: InputError, FormatError. Warnings go to `observer`.
DrawJob make_job(const DrawOptions& options, Observer& observer);

}  // namespace fresco::cli
