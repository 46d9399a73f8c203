// Any bytes as an index of shards: no shard lies beside it, so every one is refused, without leaving its folder.
#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/error.h"
#include "fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fresco::fuzz::InputFile file(data, size);
  try {
    fresco::checkpoint::open_sharded_tensors(file.path());
  } catch (const fresco::Error&) {
  }
  return 0;
}
