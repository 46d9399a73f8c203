#include "fresco/data/counter_random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace fresco::data {
namespace {

constexpr int kRounds = 10;
constexpr uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;  // golden ratio, sqrt(3) - 1

uint32_t low(uint64_t value) { return static_cast<uint32_t>(value); }
uint32_t high(uint64_t value) { return static_cast<uint32_t>(value >> 32); }
std::array<uint32_t, 2> halves(uint64_t value) { return {low(value), high(value)}; }

inline void philox_round(uint32_t& a, uint32_t& b, uint32_t& c, uint32_t& d, uint32_t key0, uint32_t key1) {
  const uint64_t product0 = uint64_t{kMultiplier0} * a, product1 = uint64_t{kMultiplier1} * c;
  a = high(product1) ^ b ^ key0;
  c = high(product0) ^ d ^ key1;
  b = low(product1);
  d = low(product0);
}

// Blocks that are computed side by side: loops over them become vector instructions.
constexpr size_t kLanes = 64;
struct Tile {
  std::array<uint32_t, kLanes> a, b, c, d;
};

void fill_words(const RandomKey& key, uint32_t first_block, Tile& tile) {
  const auto visit = halves(static_cast<uint64_t>(key.visit));
  for (size_t i = 0; i < kLanes; ++i) {
    tile.a[i] = first_block + static_cast<uint32_t>(i);
    tile.b[i] = static_cast<uint32_t>(key.purpose);
    tile.c[i] = visit[0];
    tile.d[i] = visit[1];
  }
  auto [key0, key1] = halves(key.seed);
  for (int round = 0; round < kRounds; ++round, key0 += kWeyl0, key1 += kWeyl1)
    for (size_t i = 0; i < kLanes; ++i) philox_round(tile.a[i], tile.b[i], tile.c[i], tile.d[i], key0, key1);
}

// ln u for u in (0, 1]: u = 2^e m with m in [sqrt(1/2), sqrt(2)), ln m = 2 atanh((m - 1) / (m + 1)). Not the library's, whose last bit
// depends on the processor.
inline float natural_log(float u) {
  constexpr int32_t kRootHalf = 0x3F3504F3;  // bits of sqrt(1/2)
  const int32_t offset = std::bit_cast<int32_t>(u) - kRootHalf;
  const int32_t exponent = offset >> 23;
  const float m = std::bit_cast<float>((offset & 0x007FFFFF) + kRootHalf);
  const float s = (m - 1.0f) / (m + 1.0f), z = s * s;
  const float series = 1.0f + z * (1 / 3.0f + z * (1 / 5.0f + z * (1 / 7.0f + z * (1 / 9.0f))));
  return static_cast<float>(exponent) * 0.69314718056f + 2.0f * s * series;
}

struct Direction {
  float cosine, sine;
};

// Of the angle turn / 2^32 of a circle: the upper two bits say which quarter, the rest an angle within 45 degrees of its middle.
inline Direction direction(uint32_t turn) {
  const auto fraction = static_cast<float>(static_cast<int32_t>(turn << 2));
  constexpr auto kUnit = static_cast<float>(std::numbers::pi / 4 * 0x1p-31);
  const float x = fraction * kUnit, z = x * x;
  const float s = x * (1.0f + z * (-1 / 6.0f + z * (1 / 120.0f + z * (-1 / 5040.0f + z * (1 / 362880.0f)))));
  const float c = 1.0f + z * (-0.5f + z * (1 / 24.0f + z * (-1 / 720.0f + z * (1 / 40320.0f + z * (-1 / 3628800.0f)))));
  const uint32_t quarter = turn >> 30;
  const uint32_t swap = 0u - (quarter & 1u);
  const auto sine_bits = std::bit_cast<uint32_t>(s), cosine_bits = std::bit_cast<uint32_t>(c);
  const uint32_t cosine = (cosine_bits & ~swap) | (sine_bits & swap), sine = (sine_bits & ~swap) | (cosine_bits & swap);
  return {std::bit_cast<float>(cosine ^ (((quarter + 1) & 2u) << 30)),
          std::bit_cast<float>(sine ^ ((quarter & 2u) << 30))};
}

void box_muller(const std::array<uint32_t, kLanes>& radii, const std::array<uint32_t, kLanes>& turns, float* out) {
  for (size_t i = 0; i < kLanes; ++i) {
    const float u = (static_cast<float>(static_cast<int32_t>(radii[i] >> 1)) + 0.5f) * 0x1p-31f;
    const float radius = std::sqrt(-2.0f * natural_log(u));
    const Direction way = direction(turns[i]);
    out[i] = radius * way.cosine;
    out[kLanes + i] = radius * way.sine;
  }
}

uint64_t word64(const RandomKey& key, uint32_t index) {
  const RandomWords words = random_words(key, index / 2);
  const size_t at = size_t{index % 2} * 2;
  return uint64_t{words[at + 1]} << 32 | words[at];
}

}  // namespace

RandomWords philox(RandomWords counter, std::array<uint32_t, 2> key) {
  auto& [a, b, c, d] = counter;
  for (int round = 0; round < kRounds; ++round, key[0] += kWeyl0, key[1] += kWeyl1)
    philox_round(a, b, c, d, key[0], key[1]);
  return counter;
}

RandomWords random_words(const RandomKey& key, uint32_t block) {
  const auto visit = halves(static_cast<uint64_t>(key.visit));
  return philox({block, static_cast<uint32_t>(key.purpose), visit[0], visit[1]}, halves(key.seed));
}

double uniform(const RandomKey& key, uint32_t index) { return static_cast<double>(word64(key, index) >> 11) * 0x1p-53; }

uint64_t uniform_below(const RandomKey& key, uint64_t bound, uint32_t index) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>((Wide{word64(key, index)} * bound) >> 64);
}

void fill_normal(const RandomKey& key, std::span<float> values) {
  constexpr size_t kTileValues = 4 * kLanes;
  Tile tile;
  std::array<float, kTileValues> normals;
  for (size_t at = 0; at < values.size(); at += kTileValues) {
    fill_words(key, static_cast<uint32_t>(at / 4), tile);
    box_muller(tile.a, tile.b, normals.data());
    box_muller(tile.c, tile.d, normals.data() + 2 * kLanes);
    std::copy_n(normals.data(), std::min(kTileValues, values.size() - at), values.data() + at);
  }
}

uint64_t derived_seed(uint64_t seed, uint64_t index) {
  return word64({seed, Purpose::seed, static_cast<int64_t>(index)}, 0);
}

}  // namespace fresco::data
