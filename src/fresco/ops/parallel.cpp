#include "fresco/ops/parallel.h"

#include <ATen/Parallel.h>

#include <sys/mman.h>

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
      const size_t whole = (bytes + kPage - 1) / kPage * kPage;
      memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, whole)));
      size_ = memory_ ? bytes : 0;
      if (!memory_) throw std::bad_alloc();
      // Kernels step through it in strides that would touch a page each; where the system declines, small pages serve too.
      ::madvise(memory_.get(), whole, MADV_HUGEPAGE);
    }
    return memory_.get();
  }

 private:
  static constexpr size_t kPage = size_t{2} << 20;
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  size_t size_ = 0;
};

}  // namespace

int thread_count() { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

std::byte* shared_scratch(size_t bytes) {
  thread_local Scratch scratch;
  return scratch.of_size(bytes);
}

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
