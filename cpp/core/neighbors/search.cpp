#include "core/neighbors/search.h"

#include "core/common/error.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace lpsnmr::neighbors {
namespace {

using Vec = std::array<double, 3>;

Vec cross(const Vec &a, const Vec &b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

double dot(const Vec &a, const Vec &b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// Replace open axes by vectors that complete the periodic ones to a well-conditioned cell.
std::array<Vec, 3> complete_cell(const System &system) {
  std::array<Vec, 3> cell;
  for (int a = 0; a < 3; ++a)
    cell[a] = {system.cell[3 * a], system.cell[3 * a + 1], system.cell[3 * a + 2]};
  const int periodic = system.periodic[0] + system.periodic[1] + system.periodic[2];
  if (periodic == 0) return {Vec{1, 0, 0}, Vec{0, 1, 0}, Vec{0, 0, 1}};
  for (int a = 0; a < 3; ++a) {
    if (system.periodic[a]) continue;
    const Vec &b = cell[(a + 1) % 3], &c = cell[(a + 2) % 3];
    if (periodic == 2) {
      cell[a] = cross(b, c);
    } else {
      // one periodic axis p: any two unit vectors perpendicular to it
      const int p = system.periodic[0] ? 0 : system.periodic[1] ? 1 : 2;
      const Vec along = cell[p];
      const Vec helper =
          std::abs(along[0]) < 0.9 * std::sqrt(dot(along, along)) ? Vec{1, 0, 0} : Vec{0, 1, 0};
      const Vec u = cross(along, helper);
      cell[(p + 1) % 3] = u;
      cell[(p + 2) % 3] = cross(along, u);
      break;
    }
  }
  for (int a = 0; a < 3; ++a) {
    if (system.periodic[a]) continue;
    const double length = std::sqrt(dot(cell[a], cell[a]));
    if (length > 0)
      for (double &x : cell[a]) x /= length;
  }
  return cell;
}

constexpr double most_images = 1000;  // in one direction; a cell in metres would ask for 1e10
constexpr double most_places = 3.0e8; // more would not fit in memory
constexpr double farthest = 1e12;     // Å
constexpr double slack = 1e-9;        // what rounding may move a fractional coordinate

/// Rows such that fractional coordinate a is inverse[a] . x.
std::array<Vec, 3> invert(const std::array<Vec, 3> &cell) {
  const double volume = dot(cell[0], cross(cell[1], cell[2]));
  const double lengths =
      std::sqrt(dot(cell[0], cell[0]) * dot(cell[1], cell[1]) * dot(cell[2], cell[2]));
  if (!(std::abs(volume) > 1e-8 * lengths) || !std::isfinite(volume))
    throw Error("the cell has no volume along its periodic axes: a periodic system needs three "
                "linearly independent cell vectors");
  std::array<Vec, 3> inverse;
  for (int a = 0; a < 3; ++a) {
    inverse[a] = cross(cell[(a + 1) % 3], cell[(a + 2) % 3]);
    for (double &x : inverse[a]) x /= volume;
  }
  return inverse;
}

/// Refuse a cutoff for which there would be too many images.
void check_images(const System &system, double cutoff, const Vec &reach) {
  double places = double(system.size);
  for (int a = 0; a < 3; ++a) {
    if (!system.periodic[a]) continue;
    if (!(reach[a] <= most_images))
      throw Error("the cutoff of " + std::to_string(cutoff) + " Å reaches over more than " +
                  std::to_string(int(most_images)) + " images of cell vector " + std::to_string(a) +
                  ": is the cell in Å?");
    places *= 1.0 + 2.0 * reach[a];
  }
  if (places > most_places)
    throw Error("a cutoff of " + std::to_string(cutoff) + " Å around " +
                std::to_string(system.size) + " atoms reaches " + std::to_string(places) +
                " images: is the cell in Å?");
}

} // namespace

void NeighborSearch::prepare(const System &system, double cutoff) {
  if (!(cutoff > 0) || !std::isfinite(cutoff))
    throw Error("neighbour cutoff must be a positive number of Å, got " + std::to_string(cutoff));
  const std::array<Vec, 3> cell = complete_cell(system), inverse = invert(cell);
  Vec reach;
  for (int a = 0; a < 3; ++a) reach[a] = cutoff * std::sqrt(dot(inverse[a], inverse[a])) + slack;
  check_images(system, cutoff, reach);

  const std::size_t n = system.size;
  wrapped_.resize(3 * n);
  places_.clear();
  for (std::size_t i = 0; i < n; ++i) {
    double *const x = wrapped_.data() + 3 * i;
    std::copy_n(system.positions + 3 * i, 3, x);
    if (!(std::abs(x[0]) < farthest && std::abs(x[1]) < farthest && std::abs(x[2]) < farthest))
      throw Error("position of atom " + std::to_string(i) + " is not finite, or beyond 1e12 Å");
    const Vec given{x[0], x[1], x[2]};
    std::array<int, 3> first{}, last{}; // images that come within reach of the cell
    for (int a = 0; a < 3; ++a) {
      if (!system.periodic[a]) continue;
      double s = dot(inverse[a], given);
      const double whole = std::floor(s);
      s -= whole;
      for (int d = 0; d < 3; ++d) x[d] -= whole * cell[a][d];
      first[a] = static_cast<int>(std::ceil(-reach[a] - s));
      last[a] = static_cast<int>(std::floor(1.0 + reach[a] - s));
    }
    for (int u = first[0]; u <= last[0]; ++u)
      for (int v = first[1]; v <= last[1]; ++v)
        for (int w = first[2]; w <= last[2]; ++w) {
          Vec shift;
          for (int d = 0; d < 3; ++d) shift[d] = u * cell[0][d] + v * cell[1][d] + w * cell[2][d];
          places_.add(x[0] + shift[0], x[1] + shift[1], x[2] + shift[2], static_cast<int>(i));
        }
  }
  places_.sort(cutoff);
}

void NeighborSearch::list(double cutoff, const std::vector<int> *centers,
                          NeighborList &list) const {
  const std::size_t n = wrapped_.size() / 3, n_centers = centers ? centers->size() : n;
  list.first.clear();
  list.first.reserve(n_centers + 1);
  list.first.push_back(0);
  std::size_t size = 0;
  for (std::size_t c = 0; c < n_centers; ++c) {
    const int i = centers ? (*centers)[c] : static_cast<int>(c);
    if (i < 0 || std::size_t(i) >= n)
      throw Error("centre index " + std::to_string(i) + " is not one of " + std::to_string(n) +
                  " atoms");
    size = places_.find(wrapped_.data() + 3 * std::size_t(i), cutoff, i, list, size);
    list.first.push_back(size);
  }
  list.index.resize(size);
  list.vector.resize(3 * size);
  list.distance.resize(size);
}

NeighborList build_neighbor_list(const System &system, double cutoff,
                                 const std::vector<int> *centers) {
  NeighborSearch search;
  search.prepare(system, cutoff);
  NeighborList list;
  search.list(cutoff, centers, list);
  return list;
}

} // namespace lpsnmr::neighbors
