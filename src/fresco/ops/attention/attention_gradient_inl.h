#pragma once
// With P = softmax(Q K^T / sqrt(D)): dV = P^T dY, dP = dY V^T, dS = P (dP - rows' sums of P dP), dQ = dS K / sqrt(D), dK = dS^T Q / sqrt(D).
// Scores stand turned about, [keys, queries], as forward: queries fill the lanes. After outer_inl.h and transpose_*.h.

namespace fresco::ops::flash {
namespace {

using simd::kLanes;
using simd::Vec;
constexpr int64_t kQueries = gemm::kPanel;  // of a block
constexpr float kNoScore = -1e30f;          // weighs nothing, and unlike an infinity can be subtracted from itself

constexpr int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

/// Rows of `from` become columns: to [depth][width], zeros for rows that are missing.
FRESCO_INLINE void turn(const float* from, int64_t stride, int64_t rows, int64_t depth, int64_t width, float scale,
                        float* to) {
  const Vec factor = simd::broadcast(scale);
  for (int64_t k = 0; k < depth; k += kLanes) {
    const int64_t n = depth - k;
    for (int64_t part = 0; part < width; part += kLanes) {
      Vec v[kLanes];
      for (int i = 0; i < kLanes; ++i) {
        const float* p = from + (part + i) * stride + k;
        v[i] = part + i >= rows ? simd::zero() : n >= kLanes ? simd::load(p) : simd::load_first(p, n);
      }
      simd::transpose(v);
      for (int i = 0; i < kLanes && i < n; ++i) simd::store(to + (k + i) * width + part, simd::mul(v[i], factor));
    }
  }
}

/// Rows as they lie: to [panels of `width` columns][height][width], zeros beyond both ends.
FRESCO_INLINE void lay(const float* from, int64_t stride, int64_t rows, int64_t columns, int64_t width, int64_t height,
                       float* to) {
  for (int64_t c = 0; c < round_up(columns, width); c += kLanes) {
    const int64_t n = columns - c;
    float* panel = to + c / width * height * width + c % width;
    for (int64_t r = 0; r < height; ++r) {
      const float* p = from + r * stride + c;
      simd::store(panel + r * width, r >= rows || n <= 0 ? simd::zero()
                                     : n >= kLanes       ? simd::load(p)
                                                         : simd::load_first(p, n));
    }
  }
}

/// Scratch memory of a head. keys: S in whole vectors; wide, narrow: D in whole panels of b and of a.
struct Room {
  Room(const Call& call, std::byte* at)
      : keys(round_up(call.keys, kLanes)),
        wide(round_up(call.width, gemm::kPanel)),
        narrow(round_up(call.width, kLanes)) {
    float* begin = reinterpret_cast<float*>(at);
    float* next = begin;
    const auto take = [&](int64_t n) {
      float* taken = next;
      next += round_up(n, kLanes);
      return taken;
    };
    keys_turned = take(keys * call.width);
    values_turned = take(keys * call.width);
    keys_laid = take(keys * narrow);
    dk = take(keys * wide);
    dv = take(keys * wide);
    queries_turned = take(call.width * kQueries);
    dy_turned = take(call.width * kQueries);
    queries_laid = take(kQueries * wide);
    dy_laid = take(kQueries * wide);
    weights = take(keys * kQueries);
    slopes = take(keys * kQueries);
    panel = take(kQueries * kLanes);
    dq = take(narrow * kQueries);
    bytes = static_cast<size_t>(next - begin) * sizeof(float);
  }
  int64_t keys, wide, narrow;
  float *keys_turned, *values_turned;  // [keys / kLanes][D][kLanes]
  float* keys_laid;                    // [narrow / kLanes][keys][kLanes]
  float *dk, *dv;                      // [wide / kPanel][keys][kPanel]
  float *queries_turned, *dy_turned;   // [D][kQueries]
  float *queries_laid, *dy_laid;       // [wide / kPanel][kQueries][kPanel]
  float *weights, *slopes;             // P and dP, then dS: [keys][kQueries]
  float* panel;                        // [kQueries][kLanes]
  float* dq;                           // [narrow][kQueries]
  size_t bytes;
};

size_t gradient_scratch_bytes(const Call& call) { return Room(call, nullptr).bytes; }

FRESCO_INLINE const float* start_of(const Call& call, const Matrix& matrix, const Head& head, int64_t row) {
  return matrix.data + head.sample * matrix.batch_stride + row * matrix.row_stride + head.index * call.width;
}

// Takes away the scores of keys that come after a query.
FRESCO_INLINE void mask(int64_t keys, int64_t query, float* scores) {
  for (int64_t s = query + 1; s < keys; ++s) {
    for (int64_t q = 0; q < kQueries && query + q < s; ++q) scores[s * kQueries + q] = kNoScore;
  }
}

// Scores become weights P, and dP becomes dS. n keys; rows up to `padded` become zeros.
FRESCO_INLINE void differentiate(int64_t n, int64_t padded, float* scores, float* slopes) {
  for (int64_t half = 0; half < kQueries; half += kLanes) {
    float *p = scores + half, *dp = slopes + half;
    Vec most = simd::broadcast(kNoScore), total = simd::zero(), delta = simd::zero();
    for (int64_t s = 0; s < n; ++s) most = simd::max(most, simd::load(p + s * kQueries));
    for (int64_t s = 0; s < n; ++s) {
      const Vec weight = simd::exp(simd::sub(simd::load(p + s * kQueries), most));
      simd::store(p + s * kQueries, weight);
      total = simd::add(total, weight);
      delta = simd::mul_add(weight, simd::load(dp + s * kQueries), delta);
    }
    const Vec share = simd::div(simd::broadcast(1.0f), total);
    delta = simd::mul(delta, share);
    for (int64_t s = 0; s < n; ++s) {
      const Vec weight = simd::mul(simd::load(p + s * kQueries), share);
      simd::store(p + s * kQueries, weight);
      simd::store(dp + s * kQueries, simd::mul(weight, simd::sub(simd::load(dp + s * kQueries), delta)));
    }
    for (int64_t s = n; s < padded; ++s) {
      simd::store(p + s * kQueries, simd::zero());
      simd::store(dp + s * kQueries, simd::zero());
    }
  }
}

FRESCO_INLINE void multiply(int64_t depth, const float* a, const float* b, bool accumulate, float* c, int64_t stride) {
  outer::multiply_whole<outer::Float32>(depth, a, b, accumulate, c, stride);
}

// Adds to sums [wide / kPanel][keys][kPanel]: scores [kLanes keys][kQueries] turned about, times rows [wide / kPanel][kQueries][kPanel].
FRESCO_INLINE void gather(const Room& room, int64_t key, const float* scores, const float* rows, float* sums) {
  turn(scores + key * kQueries, kQueries, kLanes, kQueries, kLanes, 1, room.panel);
  for (int64_t c = 0; c < room.wide; c += gemm::kPanel)
    multiply(kQueries, room.panel, rows + c * kQueries, true, sums + c * room.keys + key * gemm::kPanel, gemm::kPanel);
}

// Queries [query, query + kQueries).
FRESCO_INLINE void queries_of_head(const GradientCall& g, const Head& head, int64_t query, const Room& room) {
  const Call& call = g.call;
  const float scale = 1 / __builtin_sqrtf(static_cast<float>(call.width));
  const int64_t rows = call.queries - query < kQueries ? call.queries - query : kQueries;
  const float *q = start_of(call, call.q, head, query), *dy = start_of(call, g.dy, head, query);
  turn(q, call.q.row_stride, rows, call.width, kQueries, scale, room.queries_turned);
  turn(dy, g.dy.row_stride, rows, call.width, kQueries, 1, room.dy_turned);
  lay(q, call.q.row_stride, rows, call.width, gemm::kPanel, kQueries, room.queries_laid);
  lay(dy, g.dy.row_stride, rows, call.width, gemm::kPanel, kQueries, room.dy_laid);
  const int64_t seen = call.causal && query + kQueries < call.keys ? query + kQueries : call.keys;
  const int64_t padded = round_up(seen, kLanes);
  for (int64_t s = 0; s < padded; s += kLanes) {
    multiply(call.width, room.keys_turned + s * call.width, room.queries_turned, false, room.weights + s * kQueries,
             kQueries);
    multiply(call.width, room.values_turned + s * call.width, room.dy_turned, false, room.slopes + s * kQueries,
             kQueries);
  }
  if (call.causal) mask(seen, query, room.weights);
  differentiate(seen, padded, room.weights, room.slopes);
  for (int64_t s = 0; s < padded; s += kLanes) {
    gather(room, s, room.weights, room.dy_laid, room.dv);
    gather(room, s, room.slopes, room.queries_laid, room.dk);
  }
  const int64_t stride = call.heads * call.width;
  float* dq = g.dq + (head.sample * call.queries + query) * stride + head.index * call.width;
  for (int64_t d = 0; d < room.narrow; d += kLanes)
    multiply(padded, room.keys_laid + d * room.keys, room.slopes, false, room.dq + d * kQueries, kQueries);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t d = 0; d < call.width; ++d) dq[r * stride + d] = room.dq[d * kQueries + r] * scale;
  }
}

// Sums [wide / kPanel][keys][kPanel] to rows.
FRESCO_INLINE void write(const Call& call, const Head& head, const Room& room, const float* sums, float scale,
                         float* to) {
  const int64_t stride = call.heads * call.width;
  to += head.sample * call.keys * stride + head.index * call.width;
  for (int64_t s = 0; s < call.keys; ++s, to += stride) {
    for (int64_t d = 0; d < call.width; ++d)
      to[d] = sums[d / gemm::kPanel * room.keys * gemm::kPanel + s * gemm::kPanel + d % gemm::kPanel] * scale;
  }
}

void head_gradient(const GradientCall& g, const Head& head, std::byte* scratch) {
  const Call& call = g.call;
  const Room room(call, scratch);
  const float *k = start_of(call, call.k, head, 0), *v = start_of(call, call.v, head, 0);
  for (int64_t s = 0; s < call.keys; s += kLanes) {
    turn(k + s * call.k.row_stride, call.k.row_stride, call.keys - s, call.width, kLanes, 1,
         room.keys_turned + s * call.width);
    turn(v + s * call.v.row_stride, call.v.row_stride, call.keys - s, call.width, kLanes, 1,
         room.values_turned + s * call.width);
  }
  lay(k, call.k.row_stride, call.keys, call.width, kLanes, room.keys, room.keys_laid);
  for (int64_t i = 0; i < room.keys * room.wide; i += kLanes) {
    simd::store(room.dk + i, simd::zero());
    simd::store(room.dv + i, simd::zero());
  }
  for (int64_t query = 0; query < call.queries; query += kQueries) queries_of_head(g, head, query, room);
  write(call, head, room, room.dk, 1 / __builtin_sqrtf(static_cast<float>(call.width)), g.dk);
  write(call, head, room, room.dv, 1, g.dv);
}

}  // namespace
}  // namespace fresco::ops::flash
