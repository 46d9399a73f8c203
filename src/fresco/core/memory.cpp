#include "fresco/core/memory.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace fresco {
namespace {

constexpr uint64_t kUnknown = std::numeric_limits<uint64_t>::max();

// "VmHWM:   12345 kB" in a file of such lines.
uint64_t field_bytes(const char* file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(key, 0) == 0) return std::stoull(line.substr(key.size())) * 1024;
  }
  return kUnknown;
}

uint64_t number_in(const char* file) {
  std::ifstream text(file);
  uint64_t value = 0;
  return text >> value ? value : kUnknown;
}

// What `ulimit -v` leaves.
uint64_t address_space_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnknown;
  const uint64_t used = field_bytes("/proc/self/status", "VmSize:");
  return used == kUnknown ? limit.rlim_cur : limit.rlim_cur - std::min<uint64_t>(limit.rlim_cur, used);
}

}  // namespace

uint64_t peak_memory_bytes() {
  const uint64_t peak = field_bytes("/proc/self/status", "VmHWM:");
  return peak == kUnknown ? 0 : peak;
}

uint64_t available_memory_bytes() {
  const uint64_t system = field_bytes("/proc/meminfo", "MemAvailable:");
  const uint64_t limit = number_in("/sys/fs/cgroup/memory.max");
  const uint64_t used = number_in("/sys/fs/cgroup/memory.current");
  const uint64_t group = limit == kUnknown || used == kUnknown ? kUnknown : limit - std::min(limit, used);
  return std::min({system, group, address_space_left()});
}

void release_freed_memory() { malloc_trim(0); }

}  // namespace fresco
