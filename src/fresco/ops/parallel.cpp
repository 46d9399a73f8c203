#include "fresco/ops/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

namespace fresco::ops {
namespace {

// Memory of one thread, as large as was ever asked of it.
class Scratch {
 public:
  std::byte* of_size(size_t bytes) {
    if (bytes > size_) {
      memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage)));
      size_ = memory_ ? bytes : 0;
      if (!memory_) throw std::bad_alloc();
    }
    return memory_.get();
  }

 private:
  static constexpr size_t kPage = 4096;
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  size_t size_ = 0;
};

}  // namespace

int thread_count() { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

void parallel_for(int64_t count, size_t scratch_bytes, const Work& work) {
  std::atomic<int64_t> next{0};
  const auto serve = [&](int64_t, int64_t) {
    thread_local Scratch scratch;
    std::byte* memory = scratch.of_size(scratch_bytes);
    try {
      for (int64_t i = next++; i < count; i = next++) work(i, memory);
    } catch (...) {
      next = count;
      throw;
    }
  };
  at::parallel_for(0, std::min<int64_t>(thread_count(), count), 1, serve);
}

}  // namespace fresco::ops
