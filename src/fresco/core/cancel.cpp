#include "fresco/core/error.h"
#include "fresco/core/observer.h"

namespace fresco {

Observer& no_observer() {
  static Observer observer;
  return observer;
}

void check_cancelled(const Observer& observer) {
  if (observer.cancelled()) throw Interrupted();
}

}  // namespace fresco
