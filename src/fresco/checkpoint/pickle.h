#pragma once
// Python's pickle, cut down to what torch.save writes for tensors (https://docs.python.org/3/library/pickletools.html). A machine that
// builds values and runs nothing: a name that is imported is looked up in a short table, and every other name is an error.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/checkpoint/tensor_source.h"

namespace fresco::checkpoint {

using Handle = uint32_t;  // position in Pickle::values

enum class PickleKind : uint8_t {
  none,
  boolean,
  integer,
  real,
  text,
  bytes,
  tuple,
  list,
  dictionary,
  global,
  storage,
  tensor,
  opaque
};

struct PickleValue {
  PickleKind kind = PickleKind::none;
  int64_t number = 0;  // boolean, integer; global: position in the table; storage, tensor: position in Pickle's lists
  std::string_view text;      // text, bytes: lies in the pickle; an integer of more than 8 bytes: its bytes
  std::vector<Handle> items;  // tuple, list; dictionary: key, value, key, value, ...
};

struct PickledStorage {
  std::optional<ElementType> type;  // empty: bytes whose type the tensor states
  std::string_view key;
  uint64_t elements = 0;  // of `type`; bytes when it is empty
  std::optional<std::string_view>
      view;  // older files: a window into the storage `key`, under this name, beginning here
  uint64_t view_begin = 0;
};

struct PickledTensor {
  size_t storage = 0;
  std::optional<ElementType> type;  // empty: the storage's
  int64_t offset = 0;               // elements
  Shape shape, strides;             // elements; as they stand in the file, unchecked
};

struct Pickle {
  std::vector<PickleValue> values;
  std::vector<PickledStorage> storages;
  std::vector<PickledTensor> tensors;
  Handle root = 0;
  uint64_t length = 0;  // bytes read, to the one after STOP

  const PickleValue& at(Handle handle) const { return values[handle]; }
  /// The value of a text key of a dictionary; nullptr when absent or when `dictionary` is none. The last one wins, as in Python.
  const PickleValue* find(const PickleValue& dictionary, std::string_view key) const;
};

/// Reads one pickle from the front of `bytes`, into which the result points.
/// Errors: FormatError naming `where`: truncated, imports beyond the table, opcodes that torch does not write, too many values.
Pickle read_pickle(std::span<const std::byte> bytes, std::string_view where);

}  // namespace fresco::checkpoint
