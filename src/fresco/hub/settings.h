#pragma once
// What decides how the hub is reached and where its files are kept.
#include <chrono>
#include <filesystem>
#include <string>

namespace fresco::hub {

struct Settings {
  std::filesystem::path cache;  // holds models--owner--name/
  std::string endpoint;         // without a slash at its end
  std::string token;            // may be empty
  bool offline = false;
  int tries = 5;  // in a row that bring nothing new
  std::chrono::milliseconds first_pause{500};
  std::chrono::milliseconds longest_pause{8000};
  std::chrono::seconds longest_wait{300};  // that a server may ask for by Retry-After
  std::chrono::seconds connect_limit{10};
  std::chrono::seconds stall_limit{30};  // under 1 KiB/s for that long is a broken connection
};

/// Errors: InputError for an endpoint that is no http address and for a token that cannot stand in a header.
Settings settings_from_environment();

}  // namespace fresco::hub
