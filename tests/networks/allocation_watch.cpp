#include "tests/networks/allocation_watch.h"

#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <dlfcn.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace fresco::test {
namespace {

class Meter final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device) override {
    live_ += bytes;
    peak = std::max(peak, live_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  int64_t peak = 0;

 private:
  int64_t live_ = 0;
};

// The operator that libtorch runs on this thread, the outermost one.
thread_local std::array<char, 64> running{};
thread_local int depth = 0;

std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& function) {
  if (depth++ == 0) std::strncpy(running.data(), function.name(), running.size() - 1);
  return nullptr;
}
void leave(const at::RecordFunction&, at::ObserverContext*) {
  if (--depth == 0) running = {};
}

std::atomic<int64_t> threshold{0};  // 0: nobody watches
std::mutex found_mutex;
std::array<std::array<char, 64>, 4096> found;  // names; no memory may be taken while memory is being taken
size_t found_count = 0;

void saw(size_t bytes) {
  const int64_t least = threshold.load(std::memory_order_relaxed);
  if (least == 0 || static_cast<int64_t>(bytes) < least) return;
  const std::lock_guard lock(found_mutex);
  if (found_count < found.size()) found[found_count++] = running;
}

}  // namespace

int64_t peak_tensor_bytes(const std::function<void()>& work) {
  const auto meter = std::make_shared<Meter>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
  work();
  return meter->peak;
}

std::map<std::string, int> large_allocations(int64_t large, const std::function<void()>& work) {
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(enter, leave));
  found_count = 0;
  threshold = large;
  work();
  threshold = 0;
  at::removeCallback(handle);
  std::map<std::string, int> counts;
  for (size_t i = 0; i < found_count; ++i) ++counts[found[i][0] == 0 ? "elsewhere" : found[i].data()];
  return counts;
}

#if defined(__SANITIZE_ADDRESS__)
bool watches_allocations() { return false; }
}  // namespace fresco::test
#else
bool watches_allocations() { return true; }
}  // namespace fresco::test

// These take the place of the C library's for the whole program, libtorch included. glibc's own entry points do the work, so that
// nothing has to be looked up while memory is being taken.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t bytes) noexcept {
  fresco::test::saw(bytes);
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) noexcept {
  fresco::test::saw(count * bytes);
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, size_t bytes) noexcept {
  fresco::test::saw(bytes);
  return __libc_realloc(old, bytes);
}
void* memalign(size_t alignment, size_t bytes) noexcept {
  fresco::test::saw(bytes);
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) noexcept { return memalign(alignment, bytes); }
int posix_memalign(void** place, size_t alignment, size_t bytes) noexcept {
  *place = memalign(alignment, bytes);
  return *place == nullptr ? ENOMEM : 0;
}
void* mmap(void* address, size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
  using Mmap = void*(void*, size_t, int, int, int, off_t);
  static auto* const real = reinterpret_cast<Mmap*>(::dlsym(RTLD_NEXT, "mmap"));
  fresco::test::saw(bytes);
  return real(address, bytes, protection, flags, file, offset);
}
}
#endif
