#pragma once
// Packed models: one file that is mapped and used as it lies. Free of libtorch; layers/packed_source.h makes weights of it.
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fresco/checkpoint/listed_tensors.h"
#include "fresco/checkpoint/model_files.h"
#include "fresco/checkpoint/packed_header.h"
#include "fresco/core/files.h"
#include "fresco/core/mapped_file.h"

namespace fresco::checkpoint {

struct PackedFile {
  std::shared_ptr<const MappedFile> file;
  PackedHeader header;

  std::string place() const { return file->path().string(); }
  std::span<const std::byte> bytes(const Blob& blob) const { return file->bytes().subspan(blob.offset, blob.bytes); }
};

/// One part of a packed file. read() gives plain tensors alone; packed ones are for layers/packed_source.h.
class PackedTensors final : public ListedTensors {
 public:
  PackedTensors(std::shared_ptr<const PackedFile> file, const std::string& part);

  /// Which weights a tensor lies in, and as how manieth of them.
  struct Place {
    const PackedTensor* weights = nullptr;
    int64_t index = 0;
  };
  /// Errors: FormatError when there is no such tensor.
  Place find_packed(std::string_view name) const { return places_[position(name)]; }
  const std::shared_ptr<const PackedFile>& file() const { return file_; }

  TensorData read(std::string_view name) const override;
  void release(std::string_view name) const override;
  std::string place(std::string_view = {}) const override { return file_->place(); }

 private:
  std::shared_ptr<const PackedFile> file_;
  std::vector<Place> places_;  // parallel to tensors()
};

/// Whether the file begins as packed ones do; false when it cannot be read.
bool is_packed(const std::filesystem::path& file);

/// Errors: InputError (no such file), FormatError.
ModelFiles open_packed(const std::filesystem::path& file);

/// The packed file that a part lies in; null for others.
std::shared_ptr<const PackedFile> packed_file(const Part& part);

/// Reads everything and compares checksums. Errors: FormatError naming the first damaged tensor or file.
void verify_packed(const PackedFile& file, Observer& observer);

/// Writes blobs as they come, then the header; the file appears whole or not at all.
class PackedWriter {
 public:
  /// Errors: InputError when the folder cannot be written.
  explicit PackedWriter(const std::filesystem::path& target);
  Blob add(std::span<const std::byte> bytes);
  /// Returns the bytes of the file.
  uint64_t finish(const PackedHeader& header, bool overwrite);

 private:
  static constexpr uint64_t kPage = 4096;
  void pad_to(uint64_t multiple);

  AtomicFile file_;
  uint64_t at_ = 0;
};

}  // namespace fresco::checkpoint
