#pragma once
// Sees what goes into linear layers.
#include "fresco/layers/builder.h"

namespace fresco::layers {

/// Is told of every product of linear() on this thread while it lives; the innermost one alone. x [..., C_in].
class LinearWatch {
 public:
  LinearWatch();
  virtual ~LinearWatch();
  LinearWatch(const LinearWatch&) = delete;
  LinearWatch& operator=(const LinearWatch&) = delete;
  virtual void on_linear(const ops::LinearWeights& layer, const at::Tensor& x) = 0;
  /// The one that watches this thread, or none.
  static LinearWatch* current();

 private:
  LinearWatch* outer_;
};

}  // namespace fresco::layers
