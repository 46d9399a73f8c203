#pragma once
// The safetensors format: https://huggingface.co/docs/safetensors/index#format
//   8 bytes   header length N, little endian
//   N bytes   JSON {"name": {"dtype": "F16", "shape": [..], "data_offsets": [begin, end]}, ..., "__metadata__": {..}}
//   the rest  tensors, back to back, offsets counted from here
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/mapped_file.h"

namespace fresco::checkpoint {

struct PlacedTensor {
  TensorInfo info;
  std::span<const std::byte> bytes;
};

/// Checks the header against the bytes and says where each tensor lies. Errors: FormatError naming `where`.
std::vector<PlacedTensor> parse_safetensors(std::span<const std::byte> file, std::string_view where);

/// Errors: FormatError.
std::shared_ptr<const TensorSource> open_safetensors(std::shared_ptr<const MappedFile> file);

using Metadata = std::map<std::string, std::string>;

/// The texts that a file carries beside its tensors. Errors: FormatError naming `where`.
Metadata read_metadata(std::span<const std::byte> file, std::string_view where);

/// Writes the tensors in one file, wide types first so that each lies aligned. With overwrite false an existing file is an InputError.
/// tensors: each `bytes` as long as its info says. Errors: InputError (cannot be written), ResourceError (disk full).
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorData>& tensors,
                       const Metadata& metadata, bool overwrite);

}  // namespace fresco::checkpoint
