#include "fresco/ops/memory/arena.h"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <utility>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FRESCO_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define FRESCO_ADDRESS_SANITIZER
#endif
#ifdef FRESCO_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) static_cast<void>(0)
#endif

namespace fresco::ops {
namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int64_t kSmallestRange = int64_t{16} << 20;

int64_t rounded(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

// Address space that is resident only where it is touched. The page behind it stays unused, so that blocks of two ranges never meet.
class Range {
 public:
  explicit Range(int64_t bytes) : size_(rounded(bytes, kHugePage)), mapped_(size_ + kHugePage + kArenaBlock) {
    start_ = ::mmap(nullptr, static_cast<size_t>(mapped_), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start_ == MAP_FAILED) throw std::bad_alloc();
    base_ = rounded(reinterpret_cast<int64_t>(start_), kHugePage);
    ::madvise(start(), static_cast<size_t>(size_), MADV_HUGEPAGE);  // a wish; not every kernel grants it
    ASAN_POISON_MEMORY_REGION(start(), static_cast<size_t>(size_));
  }
  Range(Range&& other) noexcept
      : size_(other.size_), mapped_(other.mapped_), start_(std::exchange(other.start_, nullptr)), base_(other.base_) {}
  Range& operator=(Range&&) = delete;
  ~Range() {
    if (start_ == nullptr) return;
    ASAN_UNPOISON_MEMORY_REGION(start(), static_cast<size_t>(size_));
    ::munmap(start_, static_cast<size_t>(mapped_));
  }
  int64_t base() const { return base_; }
  int64_t size() const { return size_; }
  int64_t touched = 0;  // bytes from base

 private:
  void* start() const { return reinterpret_cast<void*>(base_); }

  int64_t size_, mapped_;
  void* start_;
  int64_t base_ = 0;
};

}  // namespace

struct Arena::State {
  explicit State(int64_t reserve) : reserve_(reserve) {}

  void* take(int64_t bytes) {
    const int64_t size = rounded(bytes, kArenaBlock);
    const std::lock_guard lock(mutex_);
    auto fit = by_size_.lower_bound({size, 0});
    if (fit == by_size_.end()) fit = grow(size);
    const auto [room, address] = *fit;
    remove_free(address, room);
    if (room > size) add_free(address + size, room - size);
    count_out(address, size);
    void* const block = reinterpret_cast<void*>(address);
    ASAN_UNPOISON_MEMORY_REGION(block, static_cast<size_t>(bytes));  // reading on to the end of the block is an error
    return block;
  }

  void give_back(void* block, int64_t bytes) {
    const int64_t size = rounded(bytes, kArenaBlock);
    ASAN_POISON_MEMORY_REGION(block, static_cast<size_t>(size));
    const std::lock_guard lock(mutex_);
    counts_.live -= size;
    int64_t begin = reinterpret_cast<int64_t>(block), end = begin + size;
    const auto after = free_.lower_bound(begin);
    if (after != free_.begin()) {
      const auto [address, room] = *std::prev(after);
      if (address + room == begin) {
        begin = address;
        remove_free(address, room);
      }
    }
    if (after != free_.end() && after->first == end) {
      const auto [address, room] = *after;
      end += room;
      remove_free(address, room);
    }
    add_free(begin, end - begin);
  }

  ArenaCounts counts() const {
    const std::lock_guard lock(mutex_);
    ArenaCounts counts = counts_;
    for (const Range& range : ranges_) {
      counts.reserved += range.size();
      counts.touched += range.touched;
    }
    counts.ranges = static_cast<int64_t>(ranges_.size());
    return counts;
  }

 private:
  using BySize = std::set<std::pair<int64_t, int64_t>>;  // size, address: the lowest of the smallest that fit

  BySize::iterator grow(int64_t size) {
    int64_t before = ranges_.empty() ? 2 * reserve_ : 0;
    for (const Range& range : ranges_) before += range.size();
    const Range& range = ranges_.emplace_back(range_of(std::max({size, kSmallestRange, before / 2}), size));
    return add_free(range.base(), range.size());
  }
  // Where address space is short (`ulimit -v`), less than wanted serves too.
  static Range range_of(int64_t wanted, int64_t least) {
    while (wanted > least) {
      try {
        return Range(wanted);
      } catch (const std::bad_alloc&) {
        wanted = std::max(least, wanted / 2);
      }
    }
    return Range(least);
  }
  BySize::iterator add_free(int64_t address, int64_t size) {
    free_.emplace(address, size);
    return by_size_.emplace(size, address).first;
  }
  void remove_free(int64_t address, int64_t size) {
    free_.erase(address);
    by_size_.erase({size, address});
  }
  void count_out(int64_t address, int64_t size) {
    counts_.live += size;
    counts_.peak = std::max(counts_.peak, counts_.live);
    ++counts_.blocks;
    for (Range& range : ranges_) {
      if (address >= range.base() && address < range.base() + range.size())
        range.touched = std::max(range.touched, address + size - range.base());
    }
  }

  mutable std::mutex mutex_;
  const int64_t reserve_;
  std::vector<Range> ranges_;
  std::map<int64_t, int64_t> free_;  // address, size
  BySize by_size_;                   // the same blocks
  ArenaCounts counts_;
};

namespace {

thread_local std::shared_ptr<Arena::State> current;

// To libtorch's memory profiler, as its own allocator does.
void report(void* address, int64_t bytes) {
  if (c10::memoryProfilingEnabled()) c10::reportMemoryUsageToProfiler(address, bytes, 0, 0, at::kCPU);
}

// What a tensor's storage holds: the block, and the arena that it goes back to.
struct Block {
  std::shared_ptr<Arena::State> arena;
  void* address;
  int64_t bytes;
  static void release(void* self) {
    auto* const block = static_cast<Block*>(self);
    report(block->address, -block->bytes);
    block->arena->give_back(block->address, block->bytes);
    delete block;
  }
};

// Lives as long as the program, as libtorch asks of allocators; takes from the arena that is current at each call.
class ArenaAllocator final : public c10::Allocator {
 public:
  at::DataPtr allocate(size_t bytes) override {
    if (current == nullptr || static_cast<int64_t>(bytes) < kArenaBlock) return c10::GetCPUAllocator()->allocate(bytes);
    auto block = std::make_unique<Block>(Block{current, nullptr, static_cast<int64_t>(bytes)});
    void* const address = block->address = current->take(block->bytes);
    report(address, block->bytes);
    return {address, block.release(), &Block::release, at::kCPU};
  }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }
};

c10::Allocator* allocator() {
  static ArenaAllocator instance;
  return &instance;
}

}  // namespace

Arena::Arena(int64_t reserve) : state_(std::make_shared<State>(reserve)) {}
ArenaCounts Arena::counts() const { return state_->counts(); }

ScopedArena::ScopedArena(const Arena* arena)
    : previous_(std::exchange(current, arena == nullptr ? nullptr : arena->state_)) {}
ScopedArena::~ScopedArena() { current = std::move(previous_); }

at::Tensor empty(at::IntArrayRef sizes, const at::TensorOptions& options, at::MemoryFormat format) {
  if (current == nullptr || !options.device().is_cpu()) return at::empty(sizes, options, format);
  return at::Tensor(at::detail::empty_generic(sizes, allocator(), c10::DispatchKeySet(c10::DispatchKey::CPU),
                                              c10::typeMetaToScalarType(options.dtype()), format));
}

at::Tensor contiguous(const at::Tensor& x, at::MemoryFormat format) {
  if (x.is_contiguous(format)) return x;
  return empty(x.sizes(), x.options(), format).copy_(x);
}

at::Tensor to_type(const at::Tensor& x, at::ScalarType type) {
  if (x.scalar_type() == type) return x;
  const bool pixels = x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
  const auto format = pixels ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  return empty(x.sizes(), x.options().dtype(type), format).copy_(x);
}

}  // namespace fresco::ops
