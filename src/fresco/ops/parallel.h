#pragma once
// Work on all threads of the one pool that libtorch runs on too. Free of libtorch, for kernels.
#include <cstddef>
#include <cstdint>

namespace fresco::ops {

/// A function by reference: what it names must outlive the call.
class Work {
 public:
  template <typename Function>
  Work(const Function& function)  // NOLINT: converts on purpose
      : object_(&function), call_([](const void* object, int64_t index, std::byte* scratch) {
          (*static_cast<const Function*>(object))(index, scratch);
        }) {}
  void operator()(int64_t index, std::byte* scratch) const { call_(object_, index, scratch); }

 private:
  const void* object_;
  void (*call_)(const void*, int64_t, std::byte*);
};

/// Threads that parallel_for uses.
int thread_count();

/// Calls work(i, scratch) for every i in [0, count), each once, on the threads that get to it first. Not to be nested.
/// scratch: memory of this thread, at least scratch_bytes, aligned to 4096, holding anything; it stays with the thread for later calls.
/// An exception ends the loop and is thrown again.
void parallel_for(int64_t count, size_t scratch_bytes, const Work& work);

/// Memory of the calling thread for what all threads of a parallel_for read: at least `bytes`, aligned to 4096, holding anything, until
/// the thread asks again. Not what parallel_for hands out.
std::byte* shared_scratch(size_t bytes);

/// Calls work(first, count) for consecutive ranges of [0, rows) of at most `most` rows each; most under 1 counts as 1.
template <typename Function>
void parallel_rows(int64_t rows, int64_t most, const Function& work) {
  if (most < 1) most = 1;
  parallel_for((rows + most - 1) / most, 0, [&](int64_t i, std::byte*) {
    const int64_t first = i * most;
    work(first, rows - first < most ? rows - first : most);
  });
}

}  // namespace fresco::ops
