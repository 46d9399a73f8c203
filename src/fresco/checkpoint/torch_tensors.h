#pragma once
// Tensors that are windows with strides into storages, some of which lie packed in a zip.
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "fresco/checkpoint/listed_tensors.h"
#include "fresco/checkpoint/pickle.h"
#include "fresco/checkpoint/zip_archive.h"
#include "fresco/core/mapped_file.h"

namespace fresco::checkpoint {

struct StoredBytes {
  std::span<const std::byte> bytes;  // in the file; packed ones are the record's
  const ZipRecord* packed = nullptr;
};

/// The named tensors of a state dictionary: `root` itself or what lies in it under "state_dict".
struct NamedTensor {
  std::string name;
  size_t tensor = 0;  // position in Pickle::tensors
};
/// Errors: FormatError: no dictionary, no tensors in it, a name twice or not UTF-8.
std::vector<NamedTensor> state_tensors(const Pickle& pickle, std::string_view where);

class TorchTensors final : public ListedTensors {
 public:
  /// storages: for each of pickle.storages, with bytes for all its elements (checked by the caller).
  /// Errors: FormatError: negative or overflowing sizes, a tensor that leaves its storage.
  TorchTensors(std::shared_ptr<const MappedFile> file, std::shared_ptr<const ZipArchive> archive, const Pickle& pickle,
               std::vector<StoredBytes> storages);

  TensorData read(std::string_view name) const override;
  void release(std::string_view name) const override;
  std::string place(std::string_view = {}) const override { return file_->path().string(); }

 private:
  struct Window {
    size_t storage = 0;
    uint64_t offset = 0;  // bytes
    uint64_t reach = 0;   // bytes from the offset to the last element's end
    Shape strides;        // elements; empty: contiguous
  };
  struct Unpacked {
    const ZipRecord* record = nullptr;
    std::shared_ptr<const std::vector<std::byte>> bytes;
  };

  Window window_of(const TensorInfo& info, const PickledTensor& tensor, const Pickle& pickle) const;
  std::shared_ptr<const std::vector<std::byte>> unpack(const ZipRecord& record) const;

  std::shared_ptr<const MappedFile> file_;
  std::shared_ptr<const ZipArchive> archive_;
  std::vector<StoredBytes> storages_;
  std::vector<Window> windows_;  // parallel to tensors()
  mutable std::mutex mutex_;
  mutable Unpacked latest_;  // several tensors may share a packed storage; the last one is kept until it is released
};

}  // namespace fresco::checkpoint
