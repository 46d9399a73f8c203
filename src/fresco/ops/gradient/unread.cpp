#include "fresco/ops/gradient/unread.h"

#include <ATen/ATen.h>

namespace fresco::ops {
namespace {

thread_local bool unread_now = false;

}  // namespace

ScopedUnread::ScopedUnread(bool unread) : before_(unread_now) { unread_now = unread; }
ScopedUnread::~ScopedUnread() { unread_now = before_; }
bool results_are_unread() { return unread_now; }

at::Tensor without_values(at::IntArrayRef sizes, const at::TensorOptions& options) {
  return at::zeros({1}, options).expand(sizes);
}

}  // namespace fresco::ops
