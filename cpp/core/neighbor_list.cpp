#include "neighbor_list.h"

#include "error.h"
#include "vector_clones.h"

#include <algorithm>
#include <cmath>
#include <string>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

/// Atoms in the order of their bins, coordinate by coordinate.
struct SortedAtoms {
  std::vector<double> x, y, z;
  std::vector<int> index;
};

constexpr std::size_t chunk = 64;

/// Squared distances of up to `chunk` atoms from `begin` on, shifted, to a centre.
LPSNMR_CLONES void squared_distances(const SortedAtoms &atoms, std::size_t begin, std::size_t count,
                                     const Vec &shift, const Vec &center, double *squares) {
  const double *x = atoms.x.data() + begin, *y = atoms.y.data() + begin,
               *z = atoms.z.data() + begin;
  const double cx = center[0], cy = center[1], cz = center[2];
  const double tx = shift[0], ty = shift[1], tz = shift[2];
  for (std::size_t k = 0; k < count; ++k) {
    const double dx = x[k] + tx - cx, dy = y[k] + ty - cy, dz = z[k] + tz - cz;
    squares[k] = dx * dx + dy * dy + dz * dz;
  }
}

/// The entries of a list while it grows; room is made ahead of writing.
class Entries {
public:
  explicit Entries(NeighborList &list) : list_(list) {
    resize(std::max(list.index.size(), 32 * chunk));
  }
  void make_room() {
    if (size_ + chunk > list_.index.size()) resize(2 * size_ + chunk);
  }
  void add(int index, double dx, double dy, double dz, double r2) {
    list_.index[size_] = index;
    double *to = list_.vector.data() + 3 * size_;
    to[0] = dx, to[1] = dy, to[2] = dz;
    list_.distance[size_++] = std::sqrt(r2);
  }
  std::size_t size() const { return size_; }
  void finish() { resize(size_); }

private:
  void resize(std::size_t n) {
    list_.index.resize(n);
    list_.vector.resize(3 * n);
    list_.distance.resize(n);
  }
  NeighborList &list_;
  std::size_t size_ = 0;
};

/// Write the positions of the squares below a limit; return how many. `near` has room for 3 more.
int find_near(const double *squares, std::size_t count, double limit, int *near) {
  int found = 0;
  std::size_t k = 0;
#if defined(__SSE2__)
  // four at a time: the bits of a comparison pick the order in which their positions are kept
  alignas(16) static const int places[16][4] = {
      {0, 0, 0, 0}, {0, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {2, 0, 0, 0}, {0, 2, 0, 0},
      {1, 2, 0, 0}, {0, 1, 2, 0}, {3, 0, 0, 0}, {0, 3, 0, 0}, {1, 3, 0, 0}, {0, 1, 3, 0},
      {2, 3, 0, 0}, {0, 2, 3, 0}, {1, 2, 3, 0}, {0, 1, 2, 3}};
  static const signed char counts[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
  const __m128d bound = _mm_set1_pd(limit);
  for (; k + 4 <= count; k += 4) {
    const int low = _mm_movemask_pd(_mm_cmplt_pd(_mm_loadu_pd(squares + k), bound));
    const int high = _mm_movemask_pd(_mm_cmplt_pd(_mm_loadu_pd(squares + k + 2), bound));
    const int bits = low | high << 2;
    const __m128i from = _mm_load_si128(reinterpret_cast<const __m128i *>(places[bits]));
    _mm_storeu_si128(reinterpret_cast<__m128i *>(near + found),
                     _mm_add_epi32(from, _mm_set1_epi32(static_cast<int>(k))));
    found += counts[bits];
  }
#endif
  for (; k < count; ++k) { // no branch: which are near cannot be foreseen
    near[found] = static_cast<int>(k);
    found += squares[k] < limit;
  }
  return found;
}

/// Add those of the atoms [begin, end) that are within the cutoff; `self` is left out.
void add_atoms(const SortedAtoms &atoms, std::size_t begin, std::size_t end, const Vec &shift,
               const Vec &center, double cutoff2, int self, Entries &entries) {
  double squares[chunk];
  int near[chunk + 4];
  for (; begin < end; begin += chunk) {
    const std::size_t count = std::min(chunk, end - begin);
    squared_distances(atoms, begin, count, shift, center, squares);
    const int n_near = find_near(squares, count, cutoff2, near);
    entries.make_room();
    for (int h = 0; h < n_near; ++h) {
      const std::size_t s = begin + near[h];
      if (atoms.index[s] == self) continue;
      entries.add(atoms.index[s], atoms.x[s] + shift[0] - center[0],
                  atoms.y[s] + shift[1] - center[1], atoms.z[s] + shift[2] - center[2],
                  squares[near[h]]);
    }
  }
}

/// Neighbouring bins along one axis that belong to one image.
struct Run {
  int first, last, image;
};

/// Find the bins within reach of a bin along axis a; `joined`: those of one image as one run.
void find_runs(const Grid &grid, bool periodic, int a, int home, bool joined,
               std::vector<Run> &runs) {
  runs.clear();
  const int bins = grid.bins[a];
  for (int k = home - grid.reach[a]; k <= home + grid.reach[a]; ++k) {
    if (!periodic && (k < 0 || k >= bins)) continue;
    const int image = k >= 0 ? k / bins : -((-k + bins - 1) / bins);
    const int place = k - image * bins;
    if (joined && !runs.empty() && runs.back().image == image)
      runs.back().last = place;
    else
      runs.push_back({place, place, image});
  }
}

} // namespace

NeighborList build_neighbor_list(const System &system, double cutoff,
                                 const std::vector<int> *centers) {
  NeighborList list;
  build_neighbor_list(system, cutoff, centers, list);
  return list;
}

void build_neighbor_list(const System &system, double cutoff, const std::vector<int> *centers,
                         NeighborList &list) {
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
  SortedAtoms sorted;
  for (std::vector<double> *values : {&sorted.x, &sorted.y, &sorted.z}) values->resize(n);
  sorted.index.resize(n);
  std::vector<std::size_t> fill(start.begin(), start.end() - 1);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t to = fill[bin[i]]++;
    sorted.x[to] = wrapped[i][0];
    sorted.y[to] = wrapped[i][1];
    sorted.z[to] = wrapped[i][2];
    sorted.index[to] = static_cast<int>(i);
  }

  const std::size_t n_centers = centers ? centers->size() : n;
  list.first.clear();
  list.first.reserve(n_centers + 1);
  list.first.push_back(0);
  const double cutoff2 = cutoff * cutoff;
  Entries entries(list);
  std::array<std::vector<Run>, 3> runs;
  for (std::size_t c = 0; c < n_centers; ++c) {
    const int i = centers ? (*centers)[c] : static_cast<int>(c);
    if (i < 0 || std::size_t(i) >= n)
      throw Error("centre index " + std::to_string(i) + " is not one of " + std::to_string(n) +
                  " atoms");
    const Vec &xi = wrapped[i];
    for (int a = 0; a < 3; ++a)
      find_runs(grid, system.periodic[a], a, bin_of(i, a), a == 2, runs[a]);
    for (const Run &u : runs[0])
      for (const Run &v : runs[1])
        for (const Run &w : runs[2]) {
          Vec shift{};
          for (int d = 0; d < 3; ++d)
            shift[d] = u.image * cell[0][d] + v.image * cell[1][d] + w.image * cell[2][d];
          const bool same_image = !u.image && !v.image && !w.image;
          const std::size_t line = (std::size_t(u.first) * grid.bins[1] + v.first) * grid.bins[2];
          add_atoms(sorted, start[line + w.first], start[line + w.last + 1], shift, xi, cutoff2,
                    same_image ? i : -1, entries);
        }
    list.first.push_back(entries.size());
  }
  entries.finish();
}

} // namespace lpsnmr
