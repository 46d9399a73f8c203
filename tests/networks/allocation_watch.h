#pragma once
// Sees memory being taken: that of tensors as libtorch reports it, and what the whole program asks of the system's allocator.
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace fresco::test {

/// The most that tensors of this thread held at once while `work` ran, in bytes; what they held before is not counted.
int64_t peak_tensor_bytes(const std::function<void()>& work);

/// Allocations of at least `large` bytes during `work`, on any thread: how many each of libtorch's operators caused, under its name,
/// or "elsewhere".
std::map<std::string, int> large_allocations(int64_t large, const std::function<void()>& work);

/// False where a sanitizer has taken the allocator's place.
bool watches_allocations();

}  // namespace fresco::test
