#include "fresco/training/parameters.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <numeric>

#include "fresco/core/error.h"

namespace fresco::training {
namespace {

// What a network's constructor asks for, in its order.
struct Wish {
  std::vector<std::string> names;
  std::vector<int64_t> shape;  // of each
};

// Stands in for weights while a network is built once to hear what it wants: tensors without memory.
class Recorder : public layers::WeightSource {
 public:
  explicit Recorder(const at::TensorOptions& options) : options_(options) {}
  at::Tensor get(const std::string& name, at::IntArrayRef shape) const override {
    wishes.push_back({{name}, shape.vec()});
    return empty(shape);
  }
  at::Tensor stack(const std::vector<std::string>& names, at::IntArrayRef shape, bool) const override {
    wishes.push_back({names, shape.vec()});
    auto whole = shape.vec();
    whole[0] *= static_cast<int64_t>(names.size());
    return empty(whole);
  }
  mutable std::vector<Wish> wishes;

 private:
  at::Tensor empty(at::IntArrayRef shape) const {
    return at::zeros({1}, options_).expand(shape).detach().requires_grad_();
  }
  at::TensorOptions options_;
};

int64_t product(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

bool is_kernel(const std::vector<int64_t>& shape) { return shape.size() == 4; }

// [O, I, h, w] over memory that is laid out as O, h, w, I; other shapes as they are.
at::Tensor shaped(const at::Tensor& flat, const std::vector<int64_t>& shape) {
  if (!is_kernel(shape)) return flat.view(shape);
  return flat.view({shape[0], shape[2], shape[3], shape[1]}).permute({0, 3, 1, 2});
}

}  // namespace

Parameters::Parameters(const std::function<void(const layers::WeightSource&)>& build,
                       const at::TensorOptions& options) {
  const Recorder recorder(options);
  build(recorder);
  int64_t end = 0;
  for (const Wish& wish : recorder.wishes) {
    for (const auto& name : wish.names) {
      slices_.push_back({name, wish.shape, end, product(wish.shape), wish.shape.size() == 1});
      end += slices_.back().count;
    }
  }
  values_ = at::zeros({end}, options);
  grads_ = at::zeros({end}, options);
  auto first = slices_.begin();
  for (const Wish& wish : recorder.wishes) {
    auto shape = wish.shape;
    shape[0] *= static_cast<int64_t>(wish.names.size());
    const auto leaf_of = [&](const at::Tensor& vector) {
      return shaped(vector.narrow(0, first->offset, product(shape)), shape);
    };
    auto leaf = leaf_of(values_).detach().requires_grad_();
    leaf.mutable_grad() = leaf_of(grads_);
    leaves_[wish.names.front()] = {std::move(leaf), wish.names};
    first += static_cast<std::ptrdiff_t>(wish.names.size());
  }
}

const Parameters::Leaf& Parameters::find(const std::string& name) const {
  const auto found = leaves_.find(name);
  if (found == leaves_.end()) throw FormatError("parameters", fmt::format("tensor \"{}\" is missing", name));
  return found->second;
}

at::Tensor Parameters::get(const std::string& name, at::IntArrayRef) const { return find(name).value; }

at::Tensor Parameters::stack(const std::vector<std::string>& names, at::IntArrayRef, bool) const {
  return find(names.front()).value;
}

std::vector<at::Tensor> Parameters::leaves() const {
  std::vector<at::Tensor> all;
  for (const auto& [name, leaf] : leaves_) all.push_back(leaf.value);
  return all;
}

at::Tensor Parameters::part(const at::Tensor& vector, const ParameterSlice& slice) {
  return shaped(vector.narrow(0, slice.offset, slice.count), slice.shape);
}

void Parameters::assign(const layers::WeightSource& source) {
  const c10::NoGradGuard guard;
  for (const auto& slice : slices_) part(values_, slice).copy_(source.get(slice.name, slice.shape));
}

}  // namespace fresco::training
