#pragma once
// Gradients of an operator's forms beside those of its definition in float64, which are checked by differences.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "fresco/ops/dispatch.h"
#include "tests/ops/forms.h"

namespace fresco::test {

/// An operator as a function of tensors, of which some may be undefined.
using Function = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

struct Gradients {
  at::Tensor y;
  std::vector<at::Tensor> of;  // each input; undefined where none was asked for
};

/// wanted: which inputs want gradients; dy: of the result.
inline Gradients gradients(const Function& f, const std::vector<at::Tensor>& inputs, const std::vector<bool>& wanted,
                           const at::Tensor& dy) {
  std::vector<at::Tensor> leaves;
  for (size_t i = 0; i < inputs.size(); ++i) {
    leaves.push_back(inputs[i].defined() ? inputs[i].clone() : at::Tensor());
    if (wanted[i]) leaves.back().requires_grad_();
  }
  Gradients result{f(leaves), {}};
  result.y.backward(dy);
  for (const auto& leaf : leaves) result.of.push_back(leaf.defined() ? leaf.grad() : leaf);
  return result;
}

/// Largest error relative to the largest value.
inline double apart(const at::Tensor& got, const at::Tensor& expected) {
  const double largest = expected.abs().max().item<double>();
  return (got.to(at::kDouble) - expected).abs().max().item<double>() / (largest > 0 ? largest : 1);
}

/// One operator with one set of inputs, all float32.
class GradientCheck {
 public:
  GradientCheck(std::string op, Function f, std::vector<at::Tensor> inputs)
      : op_(std::move(op)), f_(std::move(f)), inputs_(std::move(inputs)) {
    for (const auto& input : inputs_) {
      all_.push_back(input.defined());
      exact_.push_back(input.defined() ? input.to(at::kDouble) : input);
    }
    const ops::ScopedForm reference("reference");
    const c10::NoGradGuard guard;
    dy_ = at::randn_like(f_(exact_));
    const at::AutoGradMode again(true);
    expected_ = gradients(f_, exact_, all_, dy_);
  }

  /// Of the definition, along random directions: a central difference with step h errs by h^2 times the third derivative.
  void differences() const {
    const ops::ScopedForm reference("reference");
    const c10::NoGradGuard guard;
    const double h = 1e-5;
    for (size_t i = 0; i < exact_.size(); ++i) {
      if (!all_[i]) continue;
      const auto direction = at::randn_like(exact_[i]);
      const auto value = [&](double step) {
        auto moved = exact_;
        moved[i] = exact_[i] + step * direction;
        return (f_(moved) * dy_).sum().item<double>();
      };
      const double slope = (expected_.of[i] * direction).sum().item<double>();
      const double scale = expected_.of[i].norm().item<double>();
      EXPECT_NEAR((value(h) - value(-h)) / (2 * h), slope, 1e-6 * scale) << op_ << " input " << i;
    }
  }

  /// The form of this instruction set, all inputs together and each alone. The result and gradients are at most `tolerance` of their largest
  /// value off.
  void trained(const std::string& isa, double tolerance, ops::Products products = ops::Products::f32) const {
    const ops::ScopedForm forced(isa, products);
    const auto together = run(all_);
    EXPECT_LT(apart(together.y, expected_.y), tolerance) << op_ << " result";
    for (size_t i = 0; i < all_.size(); ++i) {
      if (!all_[i]) continue;
      ASSERT_TRUE(together.of[i].defined()) << op_ << " input " << i;
      ASSERT_EQ(together.of[i].sizes(), inputs_[i].sizes());
      EXPECT_LT(apart(together.of[i], expected_.of[i]), tolerance) << op_ << " input " << i;
      std::vector<bool> one(all_.size());
      one[i] = true;
      const auto alone = run(one);
      EXPECT_LT(apart(alone.of[i], expected_.of[i]), tolerance) << op_ << " input " << i << " alone";
      for (size_t j = 0; j < all_.size(); ++j) EXPECT_TRUE(j == i || !alone.of[j].defined());
    }
  }

 private:
  Gradients run(const std::vector<bool>& wanted) const {
    const ops::FormRecorder recorder;
    auto found = gradients(f_, inputs_, wanted, dy_.to(at::kFloat));
    EXPECT_EQ(recorder.counts().count(op_ + "/trained"), 1u) << "the form that trains is to run";
    EXPECT_EQ(recorder.counts().count(op_ + "/reference"), 0u);
    return found;
  }

  std::string op_;
  Function f_;
  std::vector<at::Tensor> inputs_, exact_;
  std::vector<bool> all_;
  at::Tensor dy_;
  Gradients expected_;
};

}  // namespace fresco::test
