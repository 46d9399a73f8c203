#include "fresco/ops/gradient/record.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <mutex>
#include <utility>

#include "fresco/ops/profile.h"

namespace fresco::ops {
namespace {

class RecordedGradient : public torch::autograd::Node {
 public:
  RecordedGradient(std::string_view op, torch::autograd::edge_list edges, Backward backward)
      : Node(std::move(edges)), op_(op), backward_(std::move(backward)) {}

  void save(const std::vector<at::Tensor>& tensors) {
    for (const auto& tensor : tensors) saved_.emplace_back(tensor, /*is_output=*/false);
  }

  std::string name() const override { return "fresco::" + std::string(op_); }

  void release_variables() override {
    const std::lock_guard lock(mutex_);
    saved_.clear();
    released_ = true;
  }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& grads) override {
    torch::autograd::variable_list results(num_outputs());
    if (!grads[0].defined()) return results;
    TORCH_CHECK(!c10::GradMode::is_enabled(), name(), " has no second derivative");
    std::vector<at::Tensor> saved;
    {
      const std::lock_guard lock(mutex_);
      TORCH_CHECK(!released_, torch::autograd::ERR_BACKWARD_TWICE);
      for (const auto& tensor : saved_) saved.push_back(tensor.unpack());
    }
    std::vector<bool> needed(num_outputs());
    for (size_t i = 0; i < needed.size(); ++i) needed[i] = task_should_compute_output(i);
    const Span span(op_, "backward", [] { return Cost{}; });
    auto found = backward_({grads[0], saved, needed});
    for (size_t i = 0; i < results.size() && i < found.size(); ++i) {
      if (needed[i]) results[i] = std::move(found[i]);
    }
    return results;
  }

 private:
  std::string_view op_;
  Backward backward_;
  std::mutex mutex_;
  bool released_ = false;
  std::vector<torch::autograd::SavedVariable> saved_;
};

}  // namespace

bool any_needs_gradient(std::initializer_list<std::reference_wrapper<const at::Tensor>> tensors) {
  if (!c10::GradMode::is_enabled()) return false;
  for (const at::Tensor& tensor : tensors) {
    if (tensor.defined() && tensor.requires_grad()) return true;
  }
  return false;
}

bool is_trained(const at::Tensor& weight) { return weight.defined() && weight.requires_grad(); }

bool trains_on(const at::Tensor& t) { return !t.defined() || (t.is_cpu() && t.scalar_type() == at::kFloat); }

at::Tensor record(std::string_view op, at::Tensor y, const std::vector<at::Tensor>& inputs,
                  const std::vector<at::Tensor>& saved, Backward backward) {
  if (!c10::GradMode::is_enabled()) return y;
  auto edges = torch::autograd::collect_next_edges(inputs);
  const std::shared_ptr<RecordedGradient> node(new RecordedGradient(op, std::move(edges), std::move(backward)),
                                               torch::autograd::deleteNode);
  node->save(saved);
  torch::autograd::set_history(y, node);
  return y;
}

}  // namespace fresco::ops
