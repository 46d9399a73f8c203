// How a packed file and the machine that it is read on come together.
#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/layers/packed_source.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gemm/packed_weights.h"
#include "fresco/pipeline/loaded_model.h"

namespace fresco::pipeline {
namespace {

using checkpoint::PackedFile;

Precision precision_in(const PackedFile& file) {
  for (const auto precision : {Precision::f32, Precision::bf16, Precision::int8}) {
    if (file.header.products == name(precision)) return precision;
  }
  throw FormatError(file.place(), fmt::format("packed for products of \"{}\", which this version does not know",
                                              printable(file.header.products, 40)));
}

bool rounded(const PackedFile& file) {
  for (const auto& [name, part] : file.header.parts) {
    for (const auto& tensor : part.tensors)
      if (tensor.rounded) return true;
  }
  return false;
}

// The precision that the file was packed for. Errors: InputError when this machine lacks it.
layers::Preparation as_packed(const PackedFile& file, LoadOptions options) {
  options.precision = precision_in(file);
  try {
    return preparation_for(options);
  } catch (const InputError& refused) {
    throw InputError(file.place(),
                     fmt::format("packed for products in {}; {}. `fresco pack` with --precision f32 makes "
                                 "a file that draws everywhere",
                                 file.header.products, refused.what()));
  }
}

}  // namespace

layers::Preparation preparation_for(const LoadOptions& options, const checkpoint::ModelFiles& files) {
  const auto file = checkpoint::packed_file(files.unet);
  if (!file) return preparation_for(options);
  const auto own = precision_in(*file);
  if (options.precision == Precision::automatic && own != Precision::f32) return as_packed(*file, options);
  auto preparation = preparation_for(options);
  if (rounded(*file) && precision_of(preparation) != own)
    throw InputError(fmt::format("--precision {}", name(options.precision)),
                     fmt::format("{} holds weights that were rounded to {}; it draws in that precision alone",
                                 file->place(), name(own)));
  return preparation;
}

void tell_fit(const checkpoint::ModelFiles& files, const layers::Preparation& preparation, Observer& observer) {
  const auto file = checkpoint::packed_file(files.unet);
  if (!file || layers::fits(*file, preparation)) return;
  const ops::ScopedForm form(preparation.ops, preparation.products);
  const std::string here = preparation.device.is_cuda() ? "a GPU" : std::string(name(ops::current_kernels().isa));
  observer.on_warning(
      fmt::format("{}: packed for {} in {}, drawn with {} in {}: weights are packed again on the way; "
                  "`fresco pack` makes a file that fits",
                  file->place(), file->header.isa, file->header.products, here, name(precision_of(preparation))));
}

}  // namespace fresco::pipeline
