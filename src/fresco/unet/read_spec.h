#pragma once
// The readers behind read_spec: one for each kind of config.
#include "fresco/unet/unet_spec.h"

namespace fresco::unet {

/// diffusers' UNet2DConditionModel.
UNetSpec read_stock_spec(const Json& config, std::string_view place);
/// DeciDiffusion's FlexibleUNet2DConditionModel; everything but the ends comes from "configurations".
UNetSpec read_flexible_spec(const Json& config, std::string_view place, bool has_middle);

/// One key with bounds, for every number that decides a shape. Errors: FormatError.
int64_t read_count(const Json& object, const char* key, int64_t fallback, std::string_view place, int64_t smallest = 1,
                   int64_t largest = 1 << 16);
/// A list of exactly `size` counts. Errors: FormatError.
std::vector<int64_t> read_counts(const Json& object, const char* key, size_t size, std::string_view place,
                                 int64_t smallest = 0);

}  // namespace fresco::unet
