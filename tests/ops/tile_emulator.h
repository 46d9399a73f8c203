#pragma once
// Runs AMX's instructions on processors without AMX: they raise SIGILL there, and a handler does what Intel's manual says they do.

namespace fresco::test {

/// While it lives, instructions on tiles that this processor lacks are emulated, in all threads. One at a time.
class TileEmulator {
 public:
  TileEmulator();
  ~TileEmulator();
  TileEmulator(const TileEmulator&) = delete;
  TileEmulator& operator=(const TileEmulator&) = delete;

  /// Products of tiles emulated so far.
  static long products();
};

}  // namespace fresco::test
