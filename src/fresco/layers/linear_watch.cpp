#include "fresco/layers/linear_watch.h"

namespace fresco::layers {
namespace {

thread_local LinearWatch* watch = nullptr;

}  // namespace

LinearWatch::LinearWatch() : outer_(watch) { watch = this; }
LinearWatch::~LinearWatch() { watch = outer_; }
LinearWatch* LinearWatch::current() { return watch; }

}  // namespace fresco::layers
