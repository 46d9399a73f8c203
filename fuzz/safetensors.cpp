// Any bytes: either tensors that can all be read, or one of fresco's errors.
#include "fresco/checkpoint/safetensors.h"
#include "fresco/core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    uint64_t sum = 0;
    for (const auto& tensor : fresco::checkpoint::parse_safetensors(std::as_bytes(std::span(data, size)), "input")) {
      if (tensor.bytes.size() != tensor.info.bytes()) __builtin_trap();
      for (const std::byte byte : tensor.bytes) sum += static_cast<uint8_t>(byte);
    }
    volatile uint64_t keep = sum;
    (void)keep;
  } catch (const fresco::FormatError&) {
  }
  return 0;
}
