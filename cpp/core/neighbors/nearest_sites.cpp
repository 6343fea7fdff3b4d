#include "core/neighbors/nearest_sites.h"

#include "core/simd/vector_clones.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lpsnmr::neighbors {
namespace {

constexpr double round_to_integer = 6755399441055744.0; // 1.5 · 2^52: adding it rounds
constexpr std::size_t chunk = 64;                       // sites at once

/// Squared distances of `count` ≤ `chunk` sites from a point.
LPSNMR_CLONES void squared_distances(const double *point, const double *sites, std::size_t count,
                                     const double *cell, double *squares) {
  for (std::size_t k = 0; k < count; ++k) {
    double d[3], x[3];
    for (int a = 0; a < 3; ++a) {
      d[a] = sites[3 * k + a] - point[a];
      d[a] -= (d[a] + round_to_integer) - round_to_integer;
    }
    for (int c = 0; c < 3; ++c) x[c] = d[0] * cell[c] + d[1] * cell[3 + c] + d[2] * cell[6 + c];
    squares[k] = x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
  }
}

} // namespace

void nearest_sites(const double *points, std::size_t n, const double *sites, std::size_t s,
                   const std::array<double, 9> &cell, long *nearest, double *distance) {
  double squares[chunk];
  for (std::size_t i = 0; i < n; ++i) {
    double least = std::numeric_limits<double>::infinity();
    nearest[i] = 0;
    for (std::size_t begin = 0; begin < s; begin += chunk) {
      const std::size_t count = std::min(chunk, s - begin);
      squared_distances(points + 3 * i, sites + 3 * begin, count, cell.data(), squares);
      for (std::size_t k = 0; k < count; ++k)
        if (squares[k] < least) {
          least = squares[k];
          nearest[i] = static_cast<long>(begin + k);
        }
    }
    distance[i] = std::sqrt(least);
  }
}

} // namespace lpsnmr::neighbors
