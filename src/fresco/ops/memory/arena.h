#pragma once
// Memory that activations use again and again. A network's pass takes and gives back the same large blocks at every call; the system's
// allocator hands most of them back to the kernel in between, and every page comes again zeroed, one fault at a time.
#include <ATen/core/Tensor.h>
#include <c10/core/MemoryFormat.h>

#include <cstdint>
#include <memory>

namespace fresco::ops {

/// What an arena did so far, in bytes unless said otherwise.
struct ArenaCounts {
  int64_t live = 0;      // in blocks that are out
  int64_t peak = 0;      // the most that was out at once
  int64_t reserved = 0;  // address space of all ranges
  int64_t touched = 0;   // up to the furthest byte ever handed out in each range: the most that can be resident
  int64_t ranges = 0;    // how often the system was asked for a range
  int64_t blocks = 0;    // how often a block was handed out
};

/// Owner of ranges of address space whose blocks are reused: best fit, neighbours merge when they come back. A further range is taken when
/// a request does not fit. Copies share the ranges, which stay mapped while a handle or a tensor uses them. Safe from several threads, but
/// meant for one drawing: what one thread frees another could get, warm in the wrong cache.
class Arena {
 public:
  /// reserve: bytes of the first range, mapped at the first request and resident only as it is touched. Further ranges grow with what is
  /// there already.
  explicit Arena(int64_t reserve = 0);
  ArenaCounts counts() const;

  struct State;

 private:
  friend class ScopedArena;
  std::shared_ptr<State> state_;
};

/// Makes an arena the current one of this thread while it lives. A null pointer suspends the current one: for what outlives a drawing,
/// such as weights that are packed when first used.
class ScopedArena {
 public:
  explicit ScopedArena(const Arena* arena);
  ~ScopedArena();
  ScopedArena(const ScopedArena&) = delete;
  ScopedArena& operator=(const ScopedArena&) = delete;

 private:
  std::shared_ptr<Arena::State> previous_;
};

/// Blocks start at multiples of this; smaller tensors are left to the system's allocator, which is good at them.
constexpr int64_t kArenaBlock = 4096;

/// Uninitialised tensor, dense in `format`, from this thread's arena; as at::empty makes it where there is no arena, on other devices, and
/// under kArenaBlock bytes. Errors: std::bad_alloc.
at::Tensor empty(at::IntArrayRef sizes, const at::TensorOptions& options,
                 at::MemoryFormat format = at::MemoryFormat::Contiguous);

/// x's values in `format`; x itself when they lie so already.
at::Tensor contiguous(const at::Tensor& x, at::MemoryFormat format = at::MemoryFormat::Contiguous);

/// x's values in another type, channels-last if x is, else contiguous; x itself when it has the type.
at::Tensor to_type(const at::Tensor& x, at::ScalarType type);

}  // namespace fresco::ops
