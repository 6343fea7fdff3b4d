#include "triplet_block.h"

#include <cmath>
#include <cstring>

// One portable binary: the loader picks the clone for the processor it runs on.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
#define LPSNMR_CLONES __attribute__((target_clones("default", "arch=haswell", "arch=x86-64-v4")))
#else
#define LPSNMR_CLONES
#endif
#define LPSNMR_INLINE inline __attribute__((always_inline))

namespace lpsnmr {
namespace {

typedef double Vec4 __attribute__((vector_size(32)));
typedef long long Mask4 __attribute__((vector_size(32)));

// Vectors are passed by reference: by value they would change the ABI between instruction sets.
LPSNMR_INLINE void load(const double *p, Vec4 &v) {
  std::memcpy(&v, p, sizeof v);
}

/// Sums of four vectors of four: out[m] = sum of the entries of in_m.
LPSNMR_INLINE void row_sums(const Vec4 &a, const Vec4 &b, const Vec4 &c, const Vec4 &d, Vec4 &out) {
  const Mask4 even{0, 4, 2, 6}, odd{1, 5, 3, 7}, low{0, 1, 4, 5}, high{2, 3, 6, 7};
  const Vec4 ab = __builtin_shuffle(a, b, even) + __builtin_shuffle(a, b, odd);
  const Vec4 cd = __builtin_shuffle(c, d, even) + __builtin_shuffle(c, d, odd);
  out = __builtin_shuffle(ab, cd, low) + __builtin_shuffle(ab, cd, high);
}

} // namespace

LPSNMR_CLONES
double evaluate_triplet_block(const TripletBlock &block, std::vector<TripletRecord> *records) {
  const TripleTable &table = *block.table;
  const KnotGrid &grid = *block.grid_jk;
  const std::size_t n_jk = std::size_t(table.n_jk);
  const std::size_t row_a = std::size_t(table.n_ik) * n_jk;
  double energy = 0;
  for (std::size_t j = block.j_begin; j < block.j_end; ++j) {
    const UfpNeighbor &nj = block.neighbors[j];
    if (nj.distance >= table.cutoff_ij) continue;
    const BasisValues &bj = block.basis_ij[j];
    const double *plane = table.coefficients.data() + std::size_t(bj.offset) * row_a;
    Vec4 vj, force_j{};
    load(nj.vector, vj);
    double radial_j = 0;
    for (std::size_t k = block.same_group ? j + 1 : block.k_begin; k < block.k_end; ++k) {
      const UfpNeighbor &nk = block.neighbors[k];
      if (nk.distance >= table.cutoff_ik) continue;
      Vec4 vk;
      load(nk.vector, vk);
      const Vec4 d = vk - vj, d2 = d * d;
      const double r = std::sqrt(d2[0] + d2[1] + d2[2]);
      if (r >= table.cutoff_jk) continue;

      // basis of r_jk, four functions at once
      const std::size_t span = grid.span(r);
      const double *p = grid.polynomials(span);
      const double below = r < grid.low() ? r - grid.low() : 0.0;
      const double u = r - below - grid.start(span);
      Vec4 p0, p1, p2, p3;
      load(p, p0);
      load(p + 4, p1);
      load(p + 8, p2);
      load(p + 12, p3);
      const Vec4 slope = p1 + u * (2.0 * p2 + (3.0 * u) * p3);
      const Vec4 value = p0 + u * (p1 + u * (p2 + u * p3)) + below * slope;

      // contraction with the 4 x 4 x 4 coefficients around this point
      const BasisValues &bk = block.basis_ik[k];
      const double *c = plane + std::size_t(bk.offset) * n_jk + std::size_t(grid.offset(span));
      Vec4 t{}, t_ij{}, t_ik{};
      for (int a = 0; a < 4; ++a) {
        Vec4 sum, sum_slope;
        Vec4 row;
        load(c, row);
        sum = bk.value[0] * row;
        sum_slope = bk.derivative[0] * row;
        for (std::size_t b = 1; b < 4; ++b) {
          load(c + b * n_jk, row);
          sum += bk.value[b] * row;
          sum_slope += bk.derivative[b] * row;
        }
        t += bj.value[a] * sum;
        t_ij += bj.derivative[a] * sum;
        t_ik += bj.value[a] * sum_slope;
        c += row_a;
      }
      Vec4 sums; // V, dV/dr_ij, dV/dr_ik, dV/dr_jk
      row_sums(t * value, t_ij * value, t_ik * value, t * slope, sums);
      energy += sums[0];
      radial_j += sums[1];
      block.radial[k] += sums[2];
      const double safe = r > 1e-12 ? r : 1e-12;
      const Vec4 pull = (sums[3] / safe) * d; // force on j
      force_j += pull;
      Vec4 force_k;
      load(block.forces + 4 * k, force_k);
      force_k -= pull;
      std::memcpy(block.forces + 4 * k, &force_k, sizeof force_k);
      if (records)
        records->push_back(
            {static_cast<int>(j), static_cast<int>(k), sums[0], sums[1], sums[2], sums[3]});
    }
    block.radial[j] += radial_j;
    Vec4 before;
    load(block.forces + 4 * j, before);
    before += force_j;
    std::memcpy(block.forces + 4 * j, &before, sizeof before);
  }
  return energy;
}

} // namespace lpsnmr
