#pragma once

namespace fresco::sampling {

/// Quantile function of the Beta(shape, shape) distribution; probability in [0, 1].
double beta_quantile(double probability, double shape);

}  // namespace fresco::sampling
