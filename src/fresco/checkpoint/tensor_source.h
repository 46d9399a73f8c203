#pragma once
// Named tensors as they lie in a file. Free of libtorch: a layer asks for a name and converts what it gets.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fresco::checkpoint {

enum class ElementType { f64, f32, f16, bf16, f8_e4m3, f8_e5m2, i64, i32, i16, i8, u64, u32, u16, u8, boolean };

/// "F16", as safetensors spells it.
std::string_view name(ElementType type);
size_t size_in_bytes(ElementType type);

using Shape = std::vector<int64_t>;
/// "[320, 4, 3, 3]"
std::string to_string(const Shape& shape);

struct TensorInfo {
  std::string name;
  ElementType type = ElementType::f32;
  Shape shape;
  uint64_t bytes() const;  // product of shape times element size; both were checked on reading
};

/// Contents of one tensor, contiguous in row-major order. `owned` keeps bytes alive that had to be unpacked or reordered;
/// otherwise they lie in the mapped file and stay valid as long as the source.
struct TensorData {
  TensorInfo info;
  std::span<const std::byte> bytes;
  std::shared_ptr<const std::vector<std::byte>> owned;
};

/// A set of named tensors: one file, several shards, or a renamed view of another source. Reading is thread-safe.
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  /// Sorted by name.
  virtual const std::vector<TensorInfo>& tensors() const = 0;
  /// Errors: FormatError "<file>: tensor "<name>" is missing" or when the packed bytes are broken.
  virtual TensorData read(std::string_view name) const = 0;
  /// Gives mapped pages of this tensor back to the system; to be called when its values have been converted.
  virtual void release(std::string_view name) const = 0;
  /// The file a message should name for this tensor ("" for the source as a whole).
  virtual std::string place(std::string_view name = {}) const = 0;

  const TensorInfo* find(std::string_view name) const;  // nullptr when absent
};

/// Opens one file of tensors, recognised by its contents, not by its suffix: safetensors, torch's zip, torch's older pickle stream.
/// Nothing in it is executed. Errors: InputError (no such file), FormatError (anything else).
std::shared_ptr<const TensorSource> open_tensors(const std::string& file);

/// Opens an index of shards (`*.safetensors.index.json` or `*.bin.index.json`); shards lie beside it.
std::shared_ptr<const TensorSource> open_sharded_tensors(const std::string& index_file);

}  // namespace fresco::checkpoint
