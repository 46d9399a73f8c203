#pragma once
// Weights that are kept in memory, or left where they are stored.
#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <vector>

namespace fresco::ops {

/// A tensor of weights: held, or read anew from its store (a mapped file) whenever its values are asked for. Cheap to copy.
class StoredTensor {
 public:
  /// Values in whatever type they are stored; they may lie in the store's own memory.
  using Read = std::function<at::Tensor()>;
  /// Told that values which were read are needed no longer.
  using Release = std::function<void()>;

  StoredTensor() = default;
  StoredTensor(at::Tensor held);  // NOLINT: converts on purpose
  /// sizes, type: what `read` gives. Both functions are called from any thread that draws.
  StoredTensor(std::vector<int64_t> sizes, at::ScalarType type, Read read, Release release);

  bool held() const { return store_ == nullptr; }
  const std::vector<int64_t>& sizes() const { return sizes_; }
  at::ScalarType scalar_type() const { return type_; }
  /// The tensor that is held; undefined when it is stored.
  const at::Tensor& tensor() const { return held_; }

  /// Runs work(values) on the values as they are stored, and lets go of them after it.
  template <typename Work>
  auto use(Work&& work) const {
    if (held()) return work(held_);
    const Letting letting{*store_};
    return work(store_->read());
  }

 private:
  struct Store {
    Read read;
    Release release;
  };
  struct Letting {
    const Store& store;
    ~Letting() { store.release(); }
  };

  at::Tensor held_;
  std::shared_ptr<const Store> store_;
  std::vector<int64_t> sizes_;
  at::ScalarType type_ = at::kFloat;
};

}  // namespace fresco::ops
