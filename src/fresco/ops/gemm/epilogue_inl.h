#pragma once
// What is done to sums before they are written.

namespace fresco::ops::gemm {
namespace {

// n (at most a vector) finished values of one row, from column c on.
FRESCO_INLINE void finish(const Epilogue& e, int64_t outputs, int64_t row, int64_t c, int64_t n, Vec v, float* out) {
  const bool whole = n >= simd::kLanes;
  const auto get = [&](const float* p) { return whole ? simd::load(p) : simd::load_first(p, n); };
  if (e.bias) v = simd::add(v, get(e.bias + c));
  if (e.shift) v = simd::add(v, get(e.shift + row / e.rows_per_sample * outputs + c));
  if (e.residual) v = simd::add(v, get(e.residual + row * e.residual_stride + c));
  if (whole) {
    simd::store(out, v);
  } else {
    simd::store_first(out, v, n);
  }
}

// One panel's sums of one row, to out at column panel * kPanel.
FRESCO_INLINE void finish_row(const Call& call, int64_t row, int64_t panel, const float* sums) {
  const int64_t outputs = call.weights.outputs;
  for (int64_t half = 0; half < 2; ++half) {
    const int64_t c = panel * kPanel + half * simd::kLanes;
    if (c >= outputs) return;
    finish(call.epilogue, outputs, row, c, outputs - c, simd::load(sums + half * simd::kLanes),
           call.out + row * call.out_stride + c);
  }
}

// The same for rows [row, row + rows) where all columns are there and no sample is shifted.
FRESCO_INLINE void finish_whole(const Call& call, int64_t row, int64_t rows, int64_t panel, const float* sums,
                                int64_t stride) {
  const int64_t c = panel * kPanel;
  const Epilogue& e = call.epilogue;
  const Vec bias0 = e.bias ? simd::load(e.bias + c) : simd::zero();
  const Vec bias1 = e.bias ? simd::load(e.bias + c + simd::kLanes) : simd::zero();
  const float* residual = e.residual ? e.residual + row * e.residual_stride + c : nullptr;
  float* out = call.out + row * call.out_stride + c;
  for (int64_t r = 0; r < rows; ++r, sums += stride, out += call.out_stride) {
    Vec v0 = simd::add(simd::load(sums), bias0), v1 = simd::add(simd::load(sums + simd::kLanes), bias1);
    if (residual) {
      v0 = simd::add(v0, simd::load(residual + r * e.residual_stride));
      v1 = simd::add(v1, simd::load(residual + r * e.residual_stride + simd::kLanes));
    }
    simd::store(out, v0);
    simd::store(out + simd::kLanes, v1);
  }
}

// The same for panels of values and gates.
FRESCO_INLINE void finish_geglu(const Call& call, int64_t row, int64_t panel, const float* sums) {
  const int64_t c = panel * simd::kLanes, n = call.weights.outputs / 2 - c;
  Vec value = simd::load(sums), gate = simd::load(sums + simd::kLanes);
  if (call.epilogue.bias) {  // [panels][values, gates], as the weights
    value = simd::add(value, simd::load(call.epilogue.bias + panel * kPanel));
    gate = simd::add(gate, simd::load(call.epilogue.bias + panel * kPanel + simd::kLanes));
  }
  const Vec v = simd::mul(value, simd::gelu(gate));
  float* out = call.out + row * call.out_stride + c;
  if (n >= simd::kLanes) {
    simd::store(out, v);
  } else {
    simd::store_first(out, v, n);
  }
}

}  // namespace
}  // namespace fresco::ops::gemm
