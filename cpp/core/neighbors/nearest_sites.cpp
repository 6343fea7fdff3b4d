#include "core/neighbors/nearest_sites.h"

#include <algorithm>
#include <cmath>
#include <limits>

#define LPSNMR_LOOPS "core/neighbors/nearest_loops.h"
#define LPSNMR_LOOPS_NAMESPACE neighbors
#include "core/simd/versions.h"

namespace lpsnmr::neighbors {
namespace {

constexpr std::size_t chunk = 64; // sites at once

} // namespace

void nearest_sites(const double *points, std::size_t n, const double *sites, std::size_t s,
                   const std::array<double, 9> &cell, long *nearest, double *distance,
                   simd::Instructions instructions) {
  const auto squared = LPSNMR_VERSION(squared_distances, instructions);
  double squares[chunk];
  for (std::size_t i = 0; i < n; ++i) {
    double least = std::numeric_limits<double>::infinity();
    nearest[i] = 0;
    for (std::size_t begin = 0; begin < s; begin += chunk) {
      const std::size_t count = std::min(chunk, s - begin);
      squared(points + 3 * i, sites + 3 * begin, count, cell.data(), squares);
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
