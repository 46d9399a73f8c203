#pragma once
// Which form of an operator serves a call. Every operator has an ordered list of forms, fastest first, its definition
// ("reference") last; a form can be forced for a thread, and what ran can be recorded.
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "fresco/ops/products.h"
#include "fresco/ops/profile.h"

namespace fresco::ops {

/// Forces a form by name on this thread while it lives: "auto" forces nothing. Operators that lack the form, or whose form
/// cannot serve a call, go down their list; every operator has "reference". An instruction set's name also keeps better ones out.
class ScopedForm {
 public:
  explicit ScopedForm(std::string_view name);
  /// And what products multiply.
  ScopedForm(std::string_view name, Products products);
  ~ScopedForm();
  ScopedForm(const ScopedForm&) = delete;
  ScopedForm& operator=(const ScopedForm&) = delete;

 private:
  std::string previous_;
  Products previous_products_;
};

/// What products multiply on this thread: as ScopedForm says, else float32.
Products current_products();

/// The form forced on this thread: by ScopedForm, else by the environment variable FRESCO_OPS, else "auto".
std::string_view forced_form();

/// Checks a name from a command line. Errors: InputError listing the known ones.
void check_form_name(std::string_view name, std::string_view where = "--ops");

/// Counts which forms ran on this thread while it lives, by "operator/form".
class FormRecorder {
 public:
  FormRecorder();
  ~FormRecorder();
  FormRecorder(const FormRecorder&) = delete;
  FormRecorder& operator=(const FormRecorder&) = delete;
  const std::map<std::string, int>& counts() const { return counts_; }

 private:
  friend void record_form(std::string_view, std::string_view);
  std::map<std::string, int> counts_;
  FormRecorder* outer_;
};
void record_form(std::string_view op, std::string_view form);

template <typename Call, typename Result>
struct Form {
  std::string_view name;
  Result (*run)(const Call&);
  bool (*serves)(const Call&);
};

template <typename Call>
bool always(const Call&) {
  return true;
}

/// Runs the first form that serves, a forced one before all others. Every operator has a function `Cost cost(const Call&)` beside its
/// contract, for profiles.
template <typename Call, typename Result, size_t N>
Result dispatch(std::string_view op, const std::array<Form<Call, Result>, N>& forms, const Call& call) {
  static_assert(N > 0);
  const std::string_view forced = forced_form();
  const Form<Call, Result>* chosen = nullptr;
  for (const auto& form : forms) {
    if (form.name == forced && form.serves(call)) chosen = &form;
  }
  for (size_t i = 0; chosen == nullptr && i < N; ++i) {
    if (i + 1 == N || forms[i].serves(call)) chosen = &forms[i];
  }
  record_form(op, chosen->name);
  const Span span(op, chosen->name, [&] { return cost(call); });
  return chosen->run(call);
}

}  // namespace fresco::ops
