#include "fresco/report/machine.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fresco/core/processor.h"

namespace fresco::report {
namespace {

namespace fs = std::filesystem;

// The value of the first line "key : value" of a file such as the driver writes.
std::string field(const fs::path& file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    const size_t first = line.find_first_not_of(" \t", colon + 1);
    return first == std::string::npos ? "" : line.substr(first, line.find_last_not_of(" \t") - first + 1);
  }
  return {};
}

uint64_t memory_bytes() {
  const auto pages = static_cast<uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const uint64_t all = pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  std::ifstream limit("/sys/fs/cgroup/memory.max");  // "max" without a limit
  uint64_t most = 0;
  return limit >> most ? std::min(all, most) : all;
}

// The driver's own listing: https://download.nvidia.com/XFree86/Linux-x86_64/, "/proc interface".
std::string gpu() {
  std::error_code failed;
  for (const auto& card : fs::directory_iterator("/proc/driver/nvidia/gpus", failed)) {
    const std::string model = field(card.path() / "information", "Model");
    if (!model.empty()) return model;
  }
  return {};
}

}  // namespace

Machine this_machine() {
  Machine machine;
  machine.processor = processor().name;
  machine.processors = processor().threads;
  for (const InstructionSet set : processor().sets) machine.instruction_sets.emplace_back(name(set));
  machine.memory_bytes = memory_bytes();
  machine.gpu = gpu();
  utsname names{};
  if (::uname(&names) == 0) machine.system = fmt::format("{} {}", names.sysname, names.release);
  if (::getloadavg(&machine.load, 1) != 1) machine.load = 0;
  return machine;
}

std::string time_now() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

Json to_json(const Machine& machine) {
  return {{"processor", machine.processor},
          {"processors", machine.processors},
          {"instruction_sets", machine.instruction_sets},
          {"memory_bytes", machine.memory_bytes},
          {"gpu", machine.gpu},
          {"system", machine.system},
          {"load", machine.load}};
}

}  // namespace fresco::report
