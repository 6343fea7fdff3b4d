#include "triplets.h"

#include "simd4.h"

#include <algorithm>

// One portable binary: the loader picks the version for the processor it runs on.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
#define LPSNMR_MULTIVERSION 1
#endif

namespace lpsnmr {
namespace {

/// Distances from j to every k in [begin, end), four at a time; may write up to three past the end.
LPSNMR_INLINE void measure_row(TripletWorkspace &work, std::size_t j, std::size_t begin,
                               std::size_t end) {
  const double xj = work.x[j], yj = work.y[j], zj = work.z[j];
  const double *x = &work.x[begin], *y = &work.y[begin], *z = &work.z[begin];
  double *__restrict distance = work.distance.data();
  double *__restrict inverse = work.inverse.data();
  for (std::size_t k = 0; k < end - begin; k += 4)
    for (std::size_t lane = k; lane < k + 4; ++lane) {
      const double dx = x[lane] - xj, dy = y[lane] - yj, dz = z[lane] - zj;
      const double r2 = dx * dx + dy * dy + dz * dz;
      const double r = std::sqrt(r2 > 1e-24 ? r2 : 1e-24);
      distance[lane] = r;
      inverse[lane] = 1.0 / r;
    }
}

/// Place part of a row of distances on the spans of a grid; may write up to three past its end.
LPSNMR_INLINE void locate_run(TripletWorkspace &work, const KnotGrid &grid, std::size_t begin,
                              std::size_t count) {
  const double *__restrict distance = &work.distance[begin];
  double *__restrict offset = &work.offset[begin];
  int *__restrict span = &work.span[begin];
  if (grid.uniform()) {
    // r within rounding of a knot may land in either span: the polynomials agree there to C2
    const double low = grid.low(), scale = grid.spans_per_length(), width = 1.0 / scale;
    const double last = double(grid.spans()) - 1.0;
    for (std::size_t k = 0; k < count; k += 4)
      for (std::size_t lane = k; lane < k + 4; ++lane) {
        double cell = (distance[lane] - low) * scale;
        cell = cell < last ? cell : last;
        cell = cell > 0.0 ? cell : 0.0;
        const int s = static_cast<int>(cell);
        span[lane] = s;
        offset[lane] = distance[lane] - (low + s * width);
      }
  } else {
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t s = grid.span(distance[k]);
      span[k] = static_cast<int>(s);
      offset[k] = distance[k] - grid.start(s);
    }
  }
}

/// Value and slope of the four basis functions at offset u of a span; linear `below` the first
/// knot.
template <class V>
LPSNMR_INLINE void evaluate_basis(const double *p, double u, double below, V &value, V &slope) {
  V p0, p1, p2, p3, cubic;
  p0.load(p);
  p1.load(p + 4);
  p2.load(p + 8);
  p3.load(p + 12);
  slope = p2;
  add(p2, slope);
  add_product(3.0 * u, p3, slope); // 2 c + 3 u d
  multiply(u, slope, slope);
  add(p1, slope);
  cubic = p2;
  add_product(u, p3, cubic);
  value = p1;
  add_product(u, cubic, value);
  multiply(u, value, value);
  add(p0, value);
  if (below < 0) add_product(below, slope, value);
}

/// Contract the 4 x 4 x 4 coefficients at c over ij and ik; jk stays open.
template <class V>
LPSNMR_INLINE void contract(const double *c, std::size_t row_a, std::size_t row_b,
                            const BasisValues &bj, const BasisValues &bk, V &t, V &t_ij, V &t_ik) {
  t.set(0.0);
  t_ij.set(0.0);
  t_ik.set(0.0);
  for (int a = 0; a < 4; ++a) {
    V row, sum, sum_slope;
    row.load(c);
    multiply(bk.value[0], row, sum);
    multiply(bk.derivative[0], row, sum_slope);
    for (std::size_t b = 1; b < 4; ++b) {
      row.load(c + b * row_b);
      add_product(bk.value[b], row, sum);
      add_product(bk.derivative[b], row, sum_slope);
    }
    add_product(bj.value[a], sum, t);
    add_product(bj.derivative[a], sum, t_ij);
    add_product(bj.value[a], sum_slope, t_ik);
    c += row_a;
  }
}

/// Triplets of neighbour j with k in [k_begin, k_end), all of one species; the row starts at
/// `begin`.
template <class V>
LPSNMR_INLINE double sum_run(const TripletCenter &center, const TripleTable &table, std::size_t j,
                             std::size_t begin, std::size_t k_begin, std::size_t k_end,
                             std::vector<TripletRecord> *records) {
  TripletWorkspace &work = *center.work;
  const KnotGrid &grid = center.potential->grids()[std::size_t(table.grid_jk)];
  const UfpNeighbor *const neighbors = center.neighbors->data();
  const BasisValues *const basis_ik = (*center.basis)[std::size_t(table.grid_ik)].data();
  const BasisValues bj = (*center.basis)[std::size_t(table.grid_ij)][j];
  const std::size_t n_jk = std::size_t(table.n_jk), row_a = std::size_t(table.n_ik) * n_jk;
  const double *const plane = table.coefficients.data() + std::size_t(bj.offset) * row_a;
  const double cutoff_ik = table.cutoff_ik, cutoff_jk = table.cutoff_jk, low = grid.low();
  double *const radial = work.radial.data(), *const forces = work.forces.data();
  double energy = 0, radial_j = 0;
  V vj, force_j;
  vj.load(neighbors[j].vector);
  force_j.set(0.0);
  for (std::size_t k = k_begin; k < k_end; ++k) {
    const double r = work.distance[k - begin];
    if (r >= cutoff_jk || neighbors[k].distance >= cutoff_ik) continue;
    const std::size_t s = std::size_t(work.span[k - begin]);
    const double below = r < low ? r - low : 0.0;
    V value, slope, t, t_ij, t_ik, products[4], sums;
    evaluate_basis(grid.polynomials(s), work.offset[k - begin] - below, below, value, slope);
    const BasisValues &bk = basis_ik[k];
    contract(plane + std::size_t(bk.offset) * n_jk + std::size_t(grid.offset(s)), row_a, n_jk, bj,
             bk, t, t_ij, t_ik);
    multiply(t, value, products[0]);
    multiply(t_ij, value, products[1]);
    multiply(t_ik, value, products[2]);
    multiply(t, slope, products[3]);
    sums.row_sums(products[0], products[1], products[2], products[3]);
    energy += sums[0];
    radial_j += sums[1];
    radial[k] += sums[2];
    V pull, force_k; // force on j along r_jk
    pull.load(neighbors[k].vector);
    subtract(vj, pull);
    multiply(sums[3] * work.inverse[k - begin], pull, pull);
    add(pull, force_j);
    force_k.load(forces + 4 * k);
    subtract(pull, force_k);
    force_k.store(forces + 4 * k);
    if (records)
      records->push_back(
          {static_cast<int>(j), static_cast<int>(k), sums[0], sums[1], sums[2], sums[3]});
  }
  radial[j] += radial_j;
  V before;
  before.load(forces + 4 * j);
  add(force_j, before);
  before.store(forces + 4 * j);
  return energy;
}

template <class V>
LPSNMR_INLINE double sum_center(const TripletCenter &center, std::vector<TripletRecord> *records) {
  const UfpPotential &potential = *center.potential;
  const int species = potential.species();
  const std::size_t n = center.neighbors->size();
  double energy = 0;
  for (int b = 0; b < species; ++b)
    for (std::size_t j = center.first[b]; j < center.first[b + 1]; ++j) {
      const std::size_t begin = j + 1;
      if (begin == n) continue;
      bool measured = false;
      for (int c = b; c < species; ++c) {
        const TripleTable &table = potential.triple(center.species, b, c);
        const std::size_t k_begin = std::max(begin, center.first[c]), k_end = center.first[c + 1];
        if (k_begin >= k_end || (*center.neighbors)[j].distance >= table.cutoff_ij) continue;
        if (!measured) measure_row(*center.work, j, begin, n);
        measured = true;
        const KnotGrid &grid = potential.grids()[std::size_t(table.grid_jk)];
        locate_run(*center.work, grid, k_begin - begin, k_end - k_begin);
        energy += sum_run<V>(center, table, j, begin, k_begin, k_end, records);
      }
    }
  return energy;
}

#if defined(LPSNMR_MULTIVERSION)
__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))) double
dispatch_triplets(const TripletCenter &center, std::vector<TripletRecord> *records) {
  return sum_center<Wide>(center, records);
}
__attribute__((target("avx2,fma"))) double dispatch_triplets(const TripletCenter &center,
                                                             std::vector<TripletRecord> *records) {
  return sum_center<Wide>(center, records);
}
__attribute__((target("default"))) double dispatch_triplets(const TripletCenter &center,
                                                            std::vector<TripletRecord> *records) {
  return sum_center<Narrow>(center, records);
}
#else
double dispatch_triplets(const TripletCenter &center, std::vector<TripletRecord> *records) {
  return sum_center<Narrow>(center, records);
}
#endif

} // namespace

void TripletWorkspace::reset(std::size_t n) {
  const std::size_t room = n + padding;
  radial.assign(n, 0.0);
  forces.assign(4 * n, 0.0);
  if (x.size() >= room) return;
  for (std::vector<double> *array : {&x, &y, &z, &distance, &inverse, &offset})
    array->resize(room, 0.0);
  span.resize(room, 0);
}

double evaluate_triplets(const TripletCenter &center, std::vector<TripletRecord> *records) {
  return dispatch_triplets(center, records);
}

} // namespace lpsnmr
