// Neighbour lists and nearest sites against every pair of images, in every version of the loops.
#include "core/common/error.h"
#include "core/neighbors/nearest_sites.h"
#include "core/neighbors/search.h"
#include "core/tests/support/check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

using namespace lpsnmr;

namespace {

constexpr std::array<double, 9> cell{5.0, 0.3, 0.0, 1.2, 6.0, 0.4, -0.5, 0.8, 4.5};

/// Neighbour, and the vector to it.
using Entry = std::array<double, 4>;

/// The neighbours of atom i, over all images that can be near, ordered.
std::vector<Entry> slow_neighbors(const std::vector<double> &x, std::size_t i, double cutoff) {
  std::vector<Entry> out;
  for (std::size_t j = 0; j < x.size() / 3; ++j)
    for (int u = -3; u <= 3; ++u)
      for (int v = -3; v <= 3; ++v)
        for (int w = -3; w <= 3; ++w) {
          Entry e{double(j), 0, 0, 0};
          double square = 0;
          for (std::size_t a = 0; a < 3; ++a) {
            e[1 + a] =
                x[3 * j + a] - x[3 * i + a] + u * cell[a] + v * cell[3 + a] + w * cell[6 + a];
            square += e[1 + a] * e[1 + a];
          }
          if (square > 0.0 && square < cutoff * cutoff) out.push_back(e);
        }
  std::sort(out.begin(), out.end());
  return out;
}

void lists_hold_every_image(std::mt19937 &random, double cutoff, simd::Instructions instructions) {
  std::uniform_real_distribution<double> inside(0.0, 1.0);
  constexpr std::size_t n = 23;
  std::vector<double> x;
  for (std::size_t i = 0; i < n; ++i) {
    const double s[3] = {inside(random), inside(random), inside(random)};
    for (std::size_t a = 0; a < 3; ++a)
      x.push_back(s[0] * cell[a] + s[1] * cell[3 + a] + s[2] * cell[6 + a]);
  }
  neighbors::CellBins bins;
  for (std::size_t j = 0; j < n; ++j)
    for (int u = -3; u <= 3; ++u)
      for (int v = -3; v <= 3; ++v)
        for (int w = -3; w <= 3; ++w) {
          double place[3];
          for (std::size_t a = 0; a < 3; ++a)
            place[a] = x[3 * j + a] + u * cell[a] + v * cell[3 + a] + w * cell[6 + a];
          bins.add(place[0], place[1], place[2], static_cast<int>(j));
        }
  bins.sort(cutoff, instructions);
  neighbors::NeighborList list;
  std::size_t size = 0;
  list.first.push_back(0);
  for (std::size_t i = 0; i < n; ++i) {
    size = bins.find(x.data() + 3 * i, cutoff, static_cast<int>(i), list, size);
    list.first.push_back(size);
  }
  for (std::size_t i = 0; i < n; ++i) {
    const neighbors::Neighborhood around = list.around(i);
    std::vector<Entry> found;
    for (std::size_t e = 0; e < around.size; ++e) {
      const double *const d = around.vector + 3 * e;
      found.push_back({double(around.index[e]), d[0], d[1], d[2]});
      CHECK_CLOSE(around.distance[e], std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]), 1e-14);
    }
    std::sort(found.begin(), found.end());
    const std::vector<Entry> expected = slow_neighbors(x, i, cutoff);
    CHECK(found.size() == expected.size());
    for (std::size_t e = 0; e < std::min(found.size(), expected.size()); ++e)
      for (std::size_t a = 0; a < 4; ++a) CHECK_CLOSE(found[e][a], expected[e][a], 1e-12);
  }
}

void nearest_sites_are_nearest(std::mt19937 &random, simd::Instructions instructions) {
  std::uniform_real_distribution<double> any(-2.0, 2.0);
  constexpr std::size_t n = 50, s = 70; // more sites than are compared at once
  std::vector<double> points(3 * n), sites(3 * s);
  for (double &x : points) x = any(random);
  for (double &x : sites) x = any(random);
  std::vector<long> nearest(n);
  std::vector<double> distance(n);
  neighbors::nearest_sites(points.data(), n, sites.data(), s, cell, nearest.data(), distance.data(),
                           instructions);
  for (std::size_t i = 0; i < n; ++i) {
    double least = 1e300;
    std::size_t best = 0;
    for (std::size_t k = 0; k < s; ++k) {
      double d[3], square = 0;
      for (std::size_t a = 0; a < 3; ++a) {
        d[a] = sites[3 * k + a] - points[3 * i + a];
        d[a] -= std::nearbyint(d[a]);
      }
      for (std::size_t a = 0; a < 3; ++a) {
        const double x = d[0] * cell[a] + d[1] * cell[3 + a] + d[2] * cell[6 + a];
        square += x * x;
      }
      if (square < least) least = square, best = k;
    }
    CHECK(nearest[i] == static_cast<long>(best));
    CHECK_CLOSE(distance[i], std::sqrt(least), 1e-13);
  }
}

} // namespace

int main() {
  std::mt19937 random(7);
  for (const simd::Instructions instructions : simd::available_instructions()) {
    for (const double cutoff : {0.5, 2.0, 4.0, 7.0})
      lists_hold_every_image(random, cutoff, instructions);
    nearest_sites_are_nearest(random, instructions);
  }
  return failures != 0;
}
