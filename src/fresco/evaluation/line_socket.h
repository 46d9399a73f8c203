#pragma once
// Lines of JSON over a socket between two processes.
#include <functional>
#include <string>

#include "fresco/core/json.h"

namespace fresco::evaluation {

/// Where a process that measure_apart() started finds its end.
inline constexpr int kServedDescriptor = 3;

class LineSocket {
 public:
  /// Takes the descriptor over.
  explicit LineSocket(int descriptor) : descriptor_(descriptor) {}
  ~LineSocket();
  LineSocket(const LineSocket&) = delete;
  LineSocket& operator=(const LineSocket&) = delete;

  /// False when the other end is gone.
  bool write_line(const Json& value);
  /// Waits at most `milliseconds` (-1: as long as it takes) for something to read and hands out every whole line. False at the end.
  bool read_lines(int milliseconds, const std::function<void(const std::string&)>& take);
  /// Waits for one line; empty at the end.
  std::string read_line();

 private:
  int descriptor_;
  std::string held_;  // the start of a line whose end has not come
};

}  // namespace fresco::evaluation
