#pragma once
#include <ATen/core/Tensor.h>

namespace fresco::ops {

/// While it lives and `unread` is true, convolutions and matrix products that train compute nothing on this thread: what they give has its
/// shape and its gradient, and no values. For the last ones of a function that is computed again for the sake of its gradients.
class ScopedUnread {
 public:
  explicit ScopedUnread(bool unread);
  ~ScopedUnread();
  ScopedUnread(const ScopedUnread&) = delete;
  ScopedUnread& operator=(const ScopedUnread&) = delete;

 private:
  bool before_;
};
bool results_are_unread();

/// One element that stands for all.
at::Tensor without_values(at::IntArrayRef sizes, const at::TensorOptions& options);

}  // namespace fresco::ops
