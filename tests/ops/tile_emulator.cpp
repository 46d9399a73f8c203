#include "tests/ops/tile_emulator.h"

#include <signal.h>
#include <ucontext.h>

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2: LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TILERELEASE,
// TDPBF16PS, TDPBUSD. A handler may not throw: what it does not know goes on to the default action, which ends the program.
namespace fresco::test {
namespace {

constexpr int kTiles = 8, kRows = 16, kBytes = 64;

struct Tile {
  int rows = 0, bytes = 0;  // as configured
  alignas(64) uint8_t data[kRows][kBytes] = {};

  float number(int row, int column) const { return read<float>(row, column); }
  template <typename T>
  T read(int row, int index) const {
    T value;
    std::memcpy(&value, &data[row][index * sizeof(T)], sizeof(T));
    return value;
  }
  template <typename T>
  void write(int row, int index, T value) {
    std::memcpy(&data[row][index * sizeof(T)], &value, sizeof(T));
  }
};

thread_local std::array<Tile, kTiles> tiles;
std::atomic<long> product_count = 0;

// Denormals are zeros, as inputs and as results, whatever MXCSR says.
float flushed(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  return (bits & 0x7f800000) == 0 ? std::bit_cast<float>(bits & 0x80000000) : x;
}

float from_bfloat16(uint16_t x) { return flushed(std::bit_cast<float>(static_cast<uint32_t>(x) << 16)); }

// Even and odd elements are summed apart, each step rounded once (a fused multiply-add), then added to what was there.
__attribute__((target("fma"))) void dot_bf16(Tile& c, const Tile& a, const Tile& b) {
  for (int m = 0; m < c.rows; ++m) {
    for (int n = 0; n < c.bytes / 4; ++n) {
      float sums[2] = {0, 0};
      for (int k = 0; k < a.bytes / 4; ++k) {
        for (int i = 0; i < 2; ++i) {
          const float x = from_bfloat16(a.read<uint16_t>(m, 2 * k + i));
          const float y = from_bfloat16(b.read<uint16_t>(k, 2 * n + i));
          sums[i] = flushed(std::fma(x, y, sums[i]));
        }
      }
      c.write(m, n, flushed(flushed(c.number(m, n)) + flushed(sums[0] + sums[1])));
    }
  }
}

void dot_u8i8(Tile& c, const Tile& a, const Tile& b) {
  for (int m = 0; m < c.rows; ++m) {
    for (int n = 0; n < c.bytes / 4; ++n) {
      auto sum = c.read<uint32_t>(m, n);  // wraps around
      for (int k = 0; k < a.bytes; ++k) {
        const int product = a.read<uint8_t>(m, k) * b.read<int8_t>(k / 4, 4 * n + k % 4);
        sum += static_cast<uint32_t>(product);
      }
      c.write(m, n, sum);
    }
  }
}

// The bytes and registers that an instruction names.
class Decoder {
 public:
  explicit Decoder(ucontext_t& context)
      : registers_(context.uc_mcontext.gregs), code_(reinterpret_cast<const uint8_t*>(registers_[REG_RIP])) {}

  // VEX with three bytes, 128 bits wide, W0, opcodes 0F38.
  bool is_vex() const { return code_[0] == 0xc4 && (code_[1] & 0x1f) == 2 && (code_[2] & 0x84) == 0; }
  int prefix() const { return code_[2] & 3; }  // none, 66, F3, F2
  int opcode() const { return code_[3]; }
  int mode() const { return code_[4] >> 6; }
  int reg() const { return code_[4] >> 3 & 7; }
  int rm() const { return code_[4] & 7; }
  int vvvv() const { return ~code_[2] >> 3 & 15; }

  // Address of a memory operand, and the register behind a row's distance. Moves `next` behind it.
  uint8_t* address(int64_t* distance) {
    next_ = 5;
    int64_t at = 0;
    if (rm() == 4) {
      const int sib = code_[next_++], base = sib & 7, index = (sib >> 3 & 7) | inverted(6);
      if (index != 4 && distance != nullptr) *distance = general(index) << (sib >> 6);
      at = base == 5 && mode() == 0 ? displacement(4) : general(base | inverted(5));
    } else if (rm() == 5 && mode() == 0) {
      at = displacement(4);
      at += registers_[REG_RIP] + next_;
    } else {
      at = general(rm() | inverted(5));
    }
    if (mode() == 1) at += displacement(1);
    if (mode() == 2) at += displacement(4);
    return reinterpret_cast<uint8_t*>(at);
  }
  void step_over() { registers_[REG_RIP] += next_; }

 private:
  int inverted(int bit) const { return (~code_[1] >> bit & 1) << 3; }  // the fourth bit of a register's number
  int64_t displacement(int bytes) {
    int32_t value = 0;
    std::memcpy(&value, code_ + next_, static_cast<size_t>(bytes));
    next_ += bytes;
    return bytes == 1 ? static_cast<int8_t>(value) : value;
  }
  int64_t general(int number) const {
    constexpr int kOrder[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    return registers_[kOrder[number]];
  }

  greg_t* registers_;
  const uint8_t* code_;
  int next_ = 5;
};

void configure(const uint8_t* shapes) {
  for (int t = 0; t < kTiles; ++t) {
    tiles[t] = {.rows = shapes[48 + t], .bytes = shapes[16 + 2 * t] | shapes[17 + 2 * t] << 8};
  }
}

void load(Tile& tile, const uint8_t* from, int64_t distance) {
  std::memset(tile.data, 0, sizeof(tile.data));
  for (int row = 0; row < tile.rows; ++row)
    std::memcpy(tile.data[row], from + row * distance, static_cast<size_t>(tile.bytes));
}

void store(const Tile& tile, uint8_t* to, int64_t distance) {
  for (int row = 0; row < tile.rows; ++row)
    std::memcpy(to + row * distance, tile.data[row], static_cast<size_t>(tile.bytes));
}

bool configured(std::initializer_list<int> numbers) {
  bool all = true;
  for (const int t : numbers) all = all && tiles[t].rows > 0 && tiles[t].bytes > 0;
  return all;
}

bool on_configuration(Decoder& in) {  // opcode 49
  if (in.prefix() == 3 && in.mode() == 3 && configured({in.reg()})) {
    std::memset(tiles[in.reg()].data, 0, sizeof(tiles[0].data));
    return true;
  }
  if (in.prefix() != 0) return false;
  const uint8_t* shapes = in.mode() == 3 ? nullptr : in.address(nullptr);
  if (shapes != nullptr && shapes[0] != 1) return false;
  if (shapes != nullptr) {
    configure(shapes);
  } else {
    tiles = {};
  }
  return true;
}

bool on_memory(Decoder& in) {  // opcode 4B
  if (in.mode() == 3 || in.rm() != 4 || !configured({in.reg()})) return false;
  int64_t distance = 0;
  uint8_t* const at = in.address(&distance);
  if (in.prefix() == 3) load(tiles[in.reg()], at, distance);
  if (in.prefix() == 2) store(tiles[in.reg()], at, distance);
  return in.prefix() >= 2;
}

bool on_product(Decoder& in) {
  if (in.mode() != 3 || in.vvvv() >= kTiles || !configured({in.reg(), in.rm(), in.vvvv()})) return false;
  Tile &c = tiles[in.reg()], &a = tiles[in.rm()], &b = tiles[in.vvvv()];
  const bool bf16 = in.opcode() == 0x5c && in.prefix() == 2, u8i8 = in.opcode() == 0x5e && in.prefix() == 1;
  if (!bf16 && !u8i8) return false;
  bf16 ? dot_bf16(c, a, b) : dot_u8i8(c, a, b);
  ++product_count;
  return true;
}

bool emulate(Decoder& in) {
  if (!in.is_vex()) return false;
  if (in.opcode() == 0x49) return on_configuration(in);
  if (in.opcode() == 0x4b) return on_memory(in);
  return on_product(in);
}

void on_illegal_instruction(int, siginfo_t*, void* context) {
  Decoder in(*static_cast<ucontext_t*>(context));
  if (emulate(in)) {
    in.step_over();
  } else {
    ::signal(SIGILL, SIG_DFL);  // the instruction runs again
  }
}

struct sigaction previous;

}  // namespace

TileEmulator::TileEmulator() {
  struct sigaction action {};
  action.sa_sigaction = on_illegal_instruction;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGILL, &action, &previous);
}

TileEmulator::~TileEmulator() { ::sigaction(SIGILL, &previous, nullptr); }

long TileEmulator::products() { return product_count; }

}  // namespace fresco::test
