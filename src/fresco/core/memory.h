#pragma once
#include <cstdint>

namespace fresco {

/// Largest resident size of this process so far, in bytes (VmHWM; mapped pages count). 0 where the system does not tell.
uint64_t peak_memory_bytes();

/// Memory that can still be taken without swapping, in bytes: the smallest of the system's estimate,
/// the control group's limit and the process's own (`ulimit -v`).
uint64_t available_memory_bytes();

/// Gives memory that was freed but that the process's allocator still holds back to the system. Worth a call between stages that
/// free hundreds of megabytes; costs milliseconds.
void release_freed_memory();

}  // namespace fresco
