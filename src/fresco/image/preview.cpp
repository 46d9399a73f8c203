#include "fresco/image/preview.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "fresco/image/planes.h"
#include "fresco/image/resize.h"

namespace fresco::image {
namespace {

constexpr int kUnknowns = 5;  // four latent channels and the bias
using Row = std::array<double, kUnknowns + 3>;
using System = std::array<Row, kUnknowns>;

// Gauss-Jordan with the largest pivot, three right sides at once. A little is added to the
// diagonal, because a channel may be constant.
void solve(System& system) {
  for (int i = 0; i < kUnknowns; ++i) system[i][i] += 1e-6 * (1 + system[i][i]);
  for (int i = 0; i < kUnknowns; ++i) {
    int pivot = i;
    for (int j = i + 1; j < kUnknowns; ++j) {
      if (std::abs(system[j][i]) > std::abs(system[pivot][i])) pivot = j;
    }
    std::swap(system[i], system[pivot]);
    for (int j = 0; j < kUnknowns; ++j) {
      if (j == i) continue;
      const double factor = system[j][i] / system[i][i];
      for (size_t k = 0; k < system[j].size(); ++k) system[j][k] -= factor * system[i][k];
    }
  }
}

}  // namespace

// Fitted by "keturn" to Stable Diffusion 1.4 and published at
// https://discuss.huggingface.co/t/23204, for colours -1 to 1; halved and shifted to 0 to 1 here.
const LatentColours& stable_diffusion_colours() {
  static constexpr LatentColours kColours{.weights = {{{0.298f / 2, 0.207f / 2, 0.208f / 2},
                                                       {0.187f / 2, 0.286f / 2, 0.173f / 2},
                                                       {-0.158f / 2, 0.189f / 2, 0.264f / 2},
                                                       {-0.184f / 2, -0.271f / 2, -0.473f / 2}}},
                                          .bias = {0.5f, 0.5f, 0.5f}};
  return kColours;
}

LatentColours fit_colours(const float* latents, int64_t h, int64_t w, const Picture& decoded) {
  const int64_t area = h * w;
  const std::vector<float> target = to_planes(resize(to_rgb(decoded), w, h, Filter::box));  // [3, h, w]
  System system{};
  for (int64_t i = 0; i < area; ++i) {
    Row row{};
    for (int l = 0; l < 4; ++l) row[l] = latents[l * area + i];
    row[4] = 1;
    for (int c = 0; c < 3; ++c) row[kUnknowns + c] = target[static_cast<size_t>(c * area + i)];
    for (int a = 0; a < kUnknowns; ++a) {
      for (size_t b = 0; b < row.size(); ++b) system[a][b] += row[a] * row[b];
    }
  }
  solve(system);
  LatentColours colours{};
  for (int c = 0; c < 3; ++c) {
    for (int l = 0; l < 4; ++l) colours.weights[l][c] = static_cast<float>(system[l][kUnknowns + c] / system[l][l]);
    colours.bias[c] = static_cast<float>(system[4][kUnknowns + c] / system[4][4]);
  }
  return colours;
}

LatentColours spread_colours(const float* latents, int64_t h, int64_t w) {
  const int64_t area = h * w;
  LatentColours colours{};
  for (int c = 0; c < 3; ++c) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < area; ++i) {
      const double value = latents[c * area + i];
      sum += value;
      squares += value * value;
    }
    const double mean = sum / static_cast<double>(area);
    const double deviation = std::sqrt(std::max(1e-12, squares / static_cast<double>(area) - mean * mean));
    colours.weights[c][c] = static_cast<float>(0.25 / deviation);
    colours.bias[c] = static_cast<float>(0.5 - 0.25 * mean / deviation);
  }
  return colours;
}

Picture preview(const float* latents, int64_t h, int64_t w, const LatentColours& colours, int64_t factor) {
  const int64_t area = h * w;
  std::vector<float> planes(static_cast<size_t>(3 * area));
  for (int c = 0; c < 3; ++c) {
    for (int64_t i = 0; i < area; ++i) {
      float value = colours.bias[c];
      for (int l = 0; l < 4; ++l) value += colours.weights[l][c] * latents[l * area + i];
      planes[static_cast<size_t>(c * area + i)] = value;
    }
  }
  return resize(from_planes(planes.data(), 3, h, w), w * factor, h * factor, Filter::bilinear);
}

}  // namespace fresco::image
