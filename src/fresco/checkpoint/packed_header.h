#pragma once
// What a packed file says of itself (docs/formats.md has the format): configs, and weights in the layout of one instruction set's kernels.
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/checkpoint/calibration.h"
#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/json.h"

namespace fresco::checkpoint {

/// How the values of packed weights are ordered. Panels hold `panel` outputs side by side; values along the depth that one instruction
/// multiplies lie together (2 of bf16, 4 of i8); zeros fill both ends.
enum class PackedLayout : uint8_t {
  plain,     // row-major, as the shape says
  matrix,    // [outputs, depth]
  gated,     // the same, each panel half values, half their gates
  taps,      // [outputs, channels, side, side], all channels of a tap before the next tap
  winograd,  // [outputs, channels, 3, 3]: nine values of a channel after each other
};
std::string_view name(PackedLayout layout);

/// Bytes of the file, from its beginning.
struct Blob {
  uint64_t offset = 0, bytes = 0;
  std::string sha256;
};

/// Tensors of one shape, packed as one below the other (queries, keys, values).
struct PackedTensor {
  std::vector<std::string> names;
  Shape shape;  // of each
  PackedLayout layout = PackedLayout::plain;
  ElementType storage = ElementType::f32;  // f32, f16, bf16 or i8
  int64_t panel = 0;                       // outputs side by side; 0: plain
  bool rounded = false;                    // the model's values were rounded to the storage
  Blob data;
  std::map<std::string, Blob> arrays;  // what some storages need beside: scales, ...
};

/// Errors: FormatError when the layout does not fit the shape or the product overflows.
uint64_t packed_bytes(const PackedTensor& tensor, std::string_view where);

struct PackedPart {
  Json config;
  std::vector<PackedTensor> tensors;
};

struct PackedHeader {
  std::string program;                      // "fresco 0.1.0"
  std::string source;                       // what was packed, as it was named
  std::string weights_hash;                 // of what was packed
  std::string isa;                          // "avx2", "avx512", ...; "none": plain tensors
  std::string products;                     // what matrix products multiply: "f32", "bf16", "int8"
  std::map<std::string, PackedPart> parts;  // "text_encoder", "unet", "vae"
  Json scheduler;
  std::map<std::string, Blob> tokenizer;   // its files by name; empty: the built-in vocabulary
  std::optional<Calibration> calibration;  // int8 only: which matrices stand in bfloat16 instead, and why
};

constexpr std::string_view kPackedMagic = "FRESCOPK";
constexpr uint32_t kPackedVersion = 1;
constexpr uint64_t kPackedPreamble = 64;   // bytes: magic, version, 4 of zero, header's offset, its length, its SHA-256
constexpr uint64_t kPackedAlignment = 64;  // of every blob

/// The header of a whole packed file, all of it checked against the file's size: no range leaves it or overlaps another, every length is
/// what shape, layout and panel ask for. Errors: FormatError naming `where`.
PackedHeader parse_packed(std::span<const std::byte> file, std::string_view where);

std::string to_text(const PackedHeader& header);

/// The preamble for a header with this text at this offset.
std::vector<std::byte> packed_preamble(std::string_view header, uint64_t offset);

}  // namespace fresco::checkpoint
