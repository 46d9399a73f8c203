#pragma once
// Files of torch.save: a zip with data.pkl and one record a storage (since torch 1.6), or pickles followed by raw storages (before).
#include <memory>
#include <string_view>

#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/mapped_file.h"

namespace fresco::checkpoint {

bool is_zip(std::string_view beginning);
/// Any pickle of protocol 2 or later; whether it is torch's is seen on opening.
bool is_pickle(std::string_view beginning);

/// Errors: FormatError: broken, big endian, no dictionary of tensors, a pickle that imports anything else.
std::shared_ptr<const TensorSource> open_torch_zip(std::shared_ptr<const MappedFile> file);
std::shared_ptr<const TensorSource> open_torch_legacy(std::shared_ptr<const MappedFile> file);

}  // namespace fresco::checkpoint
