// Any bytes as the header of a packed file: either weights that all lie inside the file, or one of fresco's errors. A checksum is put on,
// since no fuzzer would ever find one.
#include "fresco/checkpoint/packed_header.h"
#include "fresco/core/error.h"

namespace {

constexpr uint64_t kData = 4096;  // bytes between preamble and header

void touch(std::span<const std::byte> file, const fresco::checkpoint::Blob& blob, uint64_t& sum) {
  for (const std::byte byte : file.subspan(blob.offset, blob.bytes)) sum += static_cast<uint8_t>(byte);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace checkpoint = fresco::checkpoint;
  const std::string_view header{reinterpret_cast<const char*>(data), size};
  const uint64_t begin = checkpoint::kPackedPreamble + kData;
  auto file = checkpoint::packed_preamble(header, begin);
  file.resize(begin);
  const auto text = std::as_bytes(std::span(header));
  file.insert(file.end(), text.begin(), text.end());
  try {
    uint64_t sum = 0;
    const auto parsed = checkpoint::parse_packed(file, "input");
    for (const auto& [name, part] : parsed.parts) {
      for (const auto& tensor : part.tensors) {
        touch(file, tensor.data, sum);
        for (const auto& [key, array] : tensor.arrays) touch(file, array, sum);
      }
    }
    for (const auto& [name, blob] : parsed.tokenizer) touch(file, blob, sum);
    volatile uint64_t keep = sum;
    (void)keep;
  } catch (const fresco::FormatError&) {
  }
  return 0;
}
