#include "fresco/text/multiply_adds.h"

namespace fresco::text {

MultiplyAdds multiply_adds(const TextSpec& spec) {
  MultiplyAdds count;
  const int64_t tokens = spec.layers * spec.positions;
  count.projections = 4 * spec.width * spec.width * tokens;
  count.feed_forward = 2 * spec.width * spec.feed_forward * tokens;
  count.attention = 2 * spec.width * spec.positions * tokens;  // scores above the diagonal are computed too
  return count;
}

}  // namespace fresco::text
