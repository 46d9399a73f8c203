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

layers::Preparation preparation_for_packed(const LoadOptions& options, const PackedFile& file) {
  const auto own = precision_in(file);
  const bool as_it_is = options.precision == Precision::automatic || options.precision == Precision::fast;
  if (as_it_is && own != Precision::f32) return as_packed(file, options);
  auto preparation = preparation_for(options);
  if (rounded(file) && precision_of(preparation) != own)
    throw InputError(fmt::format("--precision {}", name(options.precision)),
                     fmt::format("{} holds weights that were rounded to {}; it draws in that precision alone",
                                 file.place(), name(own)));
  return preparation;
}

// Which matrices are kept higher than 8-bit integers, as the user says or the model does. Null: none is.
std::shared_ptr<const checkpoint::Calibration> calibration_for(const LoadOptions& options,
                                                               const checkpoint::ModelFiles& files,
                                                               const layers::Preparation& preparation) {
  const bool i8 = preparation.products == ops::Products::i8;
  if (!options.calibration) {
    const auto own = i8 ? checkpoint::own_calibration(files) : std::nullopt;
    if (!own) return nullptr;
    const auto place = checkpoint::packed_file(files.unet) ? files.root : files.root / checkpoint::kCalibrationFile;
    checkpoint::check_fits(*own, files, place.string());
    return std::make_shared<const checkpoint::Calibration>(*own);
  }
  if (!i8 && options.precision != Precision::fast)
    throw InputError("--calibration", fmt::format("is for --precision int8 and fast, got {}", name(options.precision)));
  if (!i8) return nullptr;
  const auto packed = checkpoint::packed_file(files.unet);
  if (packed && precision_in(*packed) == Precision::int8)
    throw InputError("--calibration", fmt::format("{} holds 8-bit integers already, with its own", packed->place()));
  checkpoint::check_fits(*options.calibration, files, "--calibration");
  return options.calibration;
}

}  // namespace

layers::Preparation preparation_for(const LoadOptions& options, const checkpoint::ModelFiles& files) {
  const auto file = checkpoint::packed_file(files.unet);
  auto preparation = file ? preparation_for_packed(options, *file) : preparation_for(options);
  preparation.calibration = calibration_for(options, files, preparation);
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
