#pragma once
#include "fresco/hub/hub.h"
#include "fresco/hub/settings.h"

namespace fresco::hub {

/// snapshot() of hub.h with everything the environment would say given by the caller.
std::filesystem::path snapshot(const HubRequest& request, const Settings& settings, Observer& observer);

}  // namespace fresco::hub
