#include "fresco/training/job_place.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "fresco/core/error.h"

namespace fresco::training {
namespace {

/// The names under which a launcher tells the three numbers.
struct Launcher {
  const char* rank;
  const char* size;
  const char* local_rank;
};
constexpr Launcher kTorchrun{"RANK", "WORLD_SIZE", "LOCAL_RANK"};
constexpr std::array kOthers = {Launcher{"SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"},
                                Launcher{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"}};

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return {};
  return value;
}

int number(const char* name, int smallest, int largest) {
  const std::string text = variable(name).value_or("");
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < smallest || value > largest) {
    throw InputError(name, expected_got("a number from " + std::to_string(smallest) + " to " + std::to_string(largest),
                                        text.empty() ? "nothing" : "\"" + printable(text, 40) + "\""));
  }
  return value;
}

/// A launcher other than torchrun counts only when it started several processes: srun sets its variables for a single
/// one too.
Launcher launcher() {
  if (variable(kTorchrun.rank) || variable(kTorchrun.size)) return kTorchrun;
  for (const Launcher& other : kOthers) {
    if (variable(other.rank) && variable(other.size).value_or("1") != "1") return other;
  }
  return kTorchrun;
}

}  // namespace

bool JobPlace::loopback() const { return host == "localhost" || host == "::1" || host.starts_with("127."); }

JobPlace job_place_from_environment() {
  constexpr int kMost = 1 << 20;
  const Launcher names = launcher();
  JobPlace place;
  if (!variable(names.rank) && !variable(names.size)) return place;
  place.size = number(names.size, 1, kMost);
  place.rank = number(names.rank, 0, place.size - 1);
  if (variable(names.local_rank)) place.local_rank = number(names.local_rank, 0, kMost);
  if (place.size == 1) return place;
  const auto host = variable("MASTER_ADDR");
  if (!host) {
    throw InputError("MASTER_ADDR", "is not set, though " + std::string(names.size) + " tells of " +
                                        std::to_string(place.size) + " processes: set it to the machine of process 0");
  }
  place.host = *host;
  if (variable("MASTER_PORT")) place.port = static_cast<uint16_t>(number("MASTER_PORT", 1, 65535));
  place.launcher_store = variable("TORCHELASTIC_USE_AGENT_STORE").value_or("") == "True";
  if (variable("TORCHELASTIC_RESTART_COUNT")) place.attempt = number("TORCHELASTIC_RESTART_COUNT", 0, kMost);
  return place;
}

}  // namespace fresco::training
