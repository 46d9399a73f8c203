#include "fresco/ops/dispatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/ops/simd/isa.h"

namespace fresco::ops {
namespace {

const std::vector<std::string> kPortable = {"auto", "reference", "onednn"};

bool contains(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string form_from_environment() {
  const char* value = std::getenv("FRESCO_OPS");
  if (value == nullptr || *value == 0) return "auto";
  check_form_name(value, "FRESCO_OPS");
  return value;
}

std::string& current_form() {
  thread_local std::string form = form_from_environment();
  return form;
}

thread_local FormRecorder* recorder = nullptr;
thread_local Products products_in_force = Products::f32;

}  // namespace

ScopedForm::ScopedForm(std::string_view name) : ScopedForm(name, products_in_force) {}
ScopedForm::ScopedForm(std::string_view name, Products products)
    : previous_(current_form()), previous_products_(products_in_force) {
  if (name != "auto") current_form() = name;
  products_in_force = products;
}
ScopedForm::~ScopedForm() {
  current_form() = previous_;
  products_in_force = previous_products_;
}

Products current_products() { return products_in_force; }

std::string_view forced_form() { return current_form(); }

void check_form_name(std::string_view name, std::string_view where) {
  const auto here = runnable_isas();
  if (contains(kPortable, name) || contains(here, name)) return;
  auto runs = kPortable;
  runs.insert(runs.end(), here.begin(), here.end());
  const auto all = all_isas();
  const bool known = std::any_of(all.begin(), all.end(), [&](Isa isa) { return ops::name(isa) == name; });
  throw InputError(where, expected_got((known ? "what this processor can run: " : "one of ") + joined(runs),
                                       fmt::format("\"{}\"", printable(name))));
}

FormRecorder::FormRecorder() : outer_(recorder) { recorder = this; }
FormRecorder::~FormRecorder() { recorder = outer_; }

void record_form(std::string_view op, std::string_view form) {
  if (recorder != nullptr) ++recorder->counts_[fmt::format("{}/{}", op, form)];
}

}  // namespace fresco::ops
