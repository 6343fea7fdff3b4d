#include "neighbor_list.h"

#include "error.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace lpsnmr {
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

constexpr int most_images = 1000; // in one direction; a cell in metres would ask for 1e10

struct Grid {
  std::array<Vec, 3> cell;
  std::array<Vec, 3> inverse;        // rows: fractional coordinate a = inverse[a] . x
  std::array<double, 3> low, extent; // fractional origin and width of the binned range
  std::array<int, 3> bins, reach;
};

Grid make_grid(const System &system, double cutoff, const std::vector<Vec> &fractional,
               const std::array<Vec, 3> &cell, const std::array<Vec, 3> &inverse) {
  Grid grid{cell, inverse, {}, {}, {}, {}};
  // no more bins than a few per atom, whatever the extent of an open system
  const int most = std::max(1, static_cast<int>(std::cbrt(8.0 * double(fractional.size()))) + 1);
  for (int a = 0; a < 3; ++a) {
    const double height = 1.0 / std::sqrt(dot(inverse[a], inverse[a])); // Å per unit of fraction
    if (system.periodic[a]) {
      grid.low[a] = 0.0;
      grid.extent[a] = 1.0;
    } else {
      double low = 0, high = 0;
      for (std::size_t i = 0; i < fractional.size(); ++i) {
        low = i ? std::min(low, fractional[i][a]) : fractional[i][a];
        high = i ? std::max(high, fractional[i][a]) : fractional[i][a];
      }
      grid.low[a] = low;
      grid.extent[a] = std::max(high - low, 1e-9);
    }
    const double width = grid.extent[a] * height;
    grid.bins[a] = static_cast<int>(std::clamp(std::floor(width / cutoff), 1.0, double(most)));
    const double reach = std::ceil(cutoff / (width / grid.bins[a]));
    if (system.periodic[a] && reach > most_images)
      throw Error("the cutoff of " + std::to_string(cutoff) + " Å reaches over more than " +
                  std::to_string(most_images) + " images of cell vector " + std::to_string(a) +
                  ": is the cell in Å?");
    // a flat open system has no width at all: the number of bins bounds its reach
    grid.reach[a] =
        system.periodic[a] ? static_cast<int>(reach) : int(std::min(reach, double(grid.bins[a])));
  }
  return grid;
}

} // namespace

NeighborList build_neighbor_list(const System &system, double cutoff,
                                 const std::vector<int> *centers) {
  if (!(cutoff > 0) || !std::isfinite(cutoff))
    throw Error("neighbour cutoff must be a positive number of Å, got " + std::to_string(cutoff));
  const std::array<Vec, 3> cell = complete_cell(system);
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

  const std::size_t n = system.size;
  std::vector<Vec> fractional(n), wrapped(n);
  for (std::size_t i = 0; i < n; ++i) {
    const Vec x{system.positions[3 * i], system.positions[3 * i + 1], system.positions[3 * i + 2]};
    if (!std::isfinite(x[0]) || !std::isfinite(x[1]) || !std::isfinite(x[2]))
      throw Error("position of atom " + std::to_string(i) + " is not finite");
    wrapped[i] = x;
    for (int a = 0; a < 3; ++a) {
      double s = dot(inverse[a], x);
      if (system.periodic[a]) {
        const double whole = std::floor(s);
        s -= whole;
        for (int d = 0; d < 3; ++d) wrapped[i][d] -= whole * cell[a][d];
      }
      fractional[i][a] = s;
    }
  }
  const Grid grid = make_grid(system, cutoff, fractional, cell, inverse);

  // counting sort of the atoms into bins
  const auto bin_of = [&](std::size_t i, int a) {
    const double s = (fractional[i][a] - grid.low[a]) / grid.extent[a];
    return std::clamp(static_cast<int>(s * grid.bins[a]), 0, grid.bins[a] - 1);
  };
  const std::size_t total = std::size_t(grid.bins[0]) * grid.bins[1] * grid.bins[2];
  std::vector<std::size_t> start(total + 1, 0);
  std::vector<std::size_t> bin(n);
  for (std::size_t i = 0; i < n; ++i) {
    bin[i] =
        (std::size_t(bin_of(i, 0)) * grid.bins[1] + bin_of(i, 1)) * grid.bins[2] + bin_of(i, 2);
    ++start[bin[i] + 1];
  }
  for (std::size_t b = 0; b < total; ++b) start[b + 1] += start[b];
  std::vector<int> sorted(n);
  std::vector<std::size_t> fill(start.begin(), start.end() - 1);
  for (std::size_t i = 0; i < n; ++i) sorted[fill[bin[i]]++] = static_cast<int>(i);

  NeighborList list;
  const std::size_t n_centers = centers ? centers->size() : n;
  list.first.reserve(n_centers + 1);
  list.first.push_back(0);
  const double cutoff2 = cutoff * cutoff;
  for (std::size_t c = 0; c < n_centers; ++c) {
    const int i = centers ? (*centers)[c] : static_cast<int>(c);
    if (i < 0 || std::size_t(i) >= n)
      throw Error("centre index " + std::to_string(i) + " is not one of " + std::to_string(n) +
                  " atoms");
    const Vec &xi = wrapped[i];
    std::array<int, 3> home{bin_of(i, 0), bin_of(i, 1), bin_of(i, 2)}, b, image;
    const auto place = [&](int a, int offset) { // false when outside an open axis
      int k = home[a] + offset;
      image[a] = 0;
      if (system.periodic[a]) {
        image[a] = k >= 0 ? k / grid.bins[a] : -((-k + grid.bins[a] - 1) / grid.bins[a]);
        k -= image[a] * grid.bins[a];
      }
      b[a] = k;
      return k >= 0 && k < grid.bins[a];
    };
    for (int u = -grid.reach[0]; u <= grid.reach[0]; ++u) {
      if (!place(0, u)) continue;
      for (int v = -grid.reach[1]; v <= grid.reach[1]; ++v) {
        if (!place(1, v)) continue;
        for (int w = -grid.reach[2]; w <= grid.reach[2]; ++w) {
          if (!place(2, w)) continue;
          Vec shift{};
          for (int a = 0; a < 3; ++a)
            for (int d = 0; d < 3; ++d) shift[d] += image[a] * cell[a][d];
          const bool same_image = !image[0] && !image[1] && !image[2];
          const std::size_t where = (std::size_t(b[0]) * grid.bins[1] + b[1]) * grid.bins[2] + b[2];
          for (std::size_t s = start[where]; s < start[where + 1]; ++s) {
            const int j = sorted[s];
            if (j == i && same_image) continue;
            const double dx = wrapped[j][0] + shift[0] - xi[0];
            const double dy = wrapped[j][1] + shift[1] - xi[1];
            const double dz = wrapped[j][2] + shift[2] - xi[2];
            const double r2 = dx * dx + dy * dy + dz * dz;
            if (r2 >= cutoff2) continue;
            list.index.push_back(j);
            list.vector.insert(list.vector.end(), {dx, dy, dz});
            list.distance.push_back(std::sqrt(r2));
          }
        }
      }
    }
    list.first.push_back(list.index.size());
  }
  return list;
}

} // namespace lpsnmr
