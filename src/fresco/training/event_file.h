#pragma once
// Event files that TensorBoard reads: TFRecord frames around Event messages of protocol buffers.
// Formats: tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fresco/core/append_file.h"

namespace fresco::training {

/// CRC-32C (Castagnoli), as in RFC 3720, appendix B.4.
uint32_t crc32c(std::string_view bytes);

/// One TFRecord: length (u64), masked CRC of it (u32), `payload`, masked CRC of it (u32); little-endian.
std::string framed(std::string_view payload);

struct Scalar {
  std::string_view tag;  // "train/loss"
  double value = 0;      // kept as float32
};

class EventFile {
 public:
  /// A new file events.out.tfevents.SECONDS.fresco in `folder`, with a number behind where that exists. With `from`, readers forget what
  /// other files of the folder say of that step and those after it. Errors: InputError, ResourceError as AppendFile's.
  EventFile(const std::filesystem::path& folder, std::optional<int64_t> from);

  const std::filesystem::path& path() const { return file_.path(); }
  /// Errors of all three: ResourceError.
  void add_scalars(int64_t step, std::span<const Scalar> scalars);
  /// `bytes` of a PNG, JPEG or GIF file.
  void add_image(int64_t step, std::string_view tag, int64_t height, int64_t width, std::string_view bytes);
  /// Readers forget what stands before this in the file about `step` and those after it.
  void restart(int64_t step);

 private:
  void add(int64_t step, std::string_view field);
  AppendFile file_;
};

}  // namespace fresco::training
