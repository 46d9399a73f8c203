// Any bytes as a model file: opened, sorted into parts, every small tensor read; or one of fresco's errors.
#include "fresco/checkpoint/key_tables.h"
#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/error.h"
#include "fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fresco;
  const fuzz::InputFile file(data, size);
  try {
    const auto source = checkpoint::open_tensors(file.path());
    checkpoint::sort_keys(*source);
    checkpoint::vae_keys(*source);
    uint64_t sum = 0;
    for (const auto& info : source->tensors()) {
      if (info.bytes() > (1u << 20)) continue;
      const auto tensor = source->read(info.name);
      if (tensor.bytes.size() != info.bytes()) __builtin_trap();
      for (const std::byte byte : tensor.bytes) sum += static_cast<uint8_t>(byte);
      source->release(info.name);
    }
    volatile uint64_t keep = sum;
    (void)keep;
  } catch (const Error&) {
  }
  return 0;
}
