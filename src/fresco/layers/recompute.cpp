#include "fresco/layers/recompute.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "fresco/ops/dispatch.h"

namespace fresco::layers {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

thread_local bool again_now = false;

struct Again {
  Again() { again_now = true; }
  ~Again() { again_now = false; }
  Again(const Again&) = delete;
  Again& operator=(const Again&) = delete;
};

struct Held {
  Recomputed run;
  std::vector<bool> defined;  // of all inputs: autograd is shown those alone
  std::string form;
  ops::Products products;
};

at::Tensor run_with(const Held& held, at::TensorList defined) {
  std::vector<at::Tensor> inputs;
  size_t next = 0;
  for (const bool is : held.defined) inputs.push_back(is ? defined[next++] : at::Tensor());
  return held.run(inputs);
}

// The inputs again, cut off from what made them, so that a backward pass ends there.
variable_list cut_off(const variable_list& inputs) {
  variable_list leaves;
  for (const auto& input : inputs) leaves.push_back(input.detach().requires_grad_(input.requires_grad()));
  return leaves;
}

class Recompute : public torch::autograd::Function<Recompute> {
 public:
  // The first input stands for the weights: it asks for gradients where no other does.
  static Variable forward(AutogradContext* context, const std::shared_ptr<Held>& held, at::TensorList inputs) {
    context->save_for_backward(inputs.vec());
    context->saved_data["held"] = c10::IValue::make_capsule(c10::make_intrusive<Capsule>(held));
    const c10::NoGradGuard guard;
    return run_with(*held, inputs.slice(1));
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto capsule = c10::static_intrusive_pointer_cast<Capsule>(context->saved_data["held"].toCapsule());
    const Held& held = *capsule->held;
    const auto saved = context->get_saved_variables();
    auto leaves = cut_off({saved.begin() + 1, saved.end()});
    {
      const c10::AutoGradMode guard(true);
      const ops::ScopedForm form(held.form, held.products);
      at::Tensor output;
      {
        const Again again;
        output = run_with(held, leaves);
      }
      torch::autograd::backward({output}, {gradients[0]});
    }
    variable_list found{Variable(), Variable()};  // of the capsule and of the stand-in
    for (const auto& leaf : leaves) found.push_back(leaf.grad());
    return found;
  }

 private:
  struct Capsule : torch::CustomClassHolder {
    explicit Capsule(std::shared_ptr<Held> what) : held(std::move(what)) {}
    std::shared_ptr<Held> held;
  };
};

}  // namespace

bool computing_again() { return again_now; }

at::Tensor recomputed(Recomputed run, const std::vector<at::Tensor>& inputs) {
  if (!c10::GradMode::is_enabled()) return run(inputs);
  const auto held =
      std::make_shared<Held>(Held{std::move(run), {}, std::string(ops::forced_form()), ops::current_products()});
  variable_list shown{at::empty({0}).requires_grad_()};
  for (const auto& input : inputs) {
    held->defined.push_back(input.defined());
    if (input.defined()) shown.push_back(input);
  }
  return Recompute::apply(held, at::TensorList(shown));
}

}  // namespace fresco::layers
