// The density around an atom: included once per instruction set, inside namespace and
// target region of simd/versions.h, by expansion.cpp, and by the loops that expand densities of
// their own.

/// Four neighbours within a cutoff, unit vectors and distances; empty places lie on the cutoff.
struct NeighborBatch {
  alignas(32) double x[4], y[4], z[4], r[4];
  int species[4];
  int filled = 0;

  /// Take the next neighbours nearer than the cutoff, from entry `next` on; false when none is
  /// left.
  LPSNMR_INLINE bool take(const neighbors::Neighborhood &neighbors, double cutoff,
                          std::size_t &next) {
    filled = 0;
    for (; next < neighbors.size && filled < 4; ++next) {
      if (neighbors.distance[next] >= cutoff) continue;
      r[filled] = neighbors.distance[next];
      x[filled] = neighbors.vector[3 * next];
      y[filled] = neighbors.vector[3 * next + 1];
      z[filled] = neighbors.vector[3 * next + 2];
      species[filled++] = neighbors.species[next];
    }
    for (int k = filled; k < 4; ++k) x[k] = y[k] = 0.0, z[k] = r[k] = cutoff;
    for (int k = 0; k < 4; ++k) {
      const double inverse = 1.0 / r[k];
      x[k] *= inverse;
      y[k] *= inverse;
      z[k] *= inverse;
    }
    return filled > 0;
  }
};

/// Harmonics of four unit vectors; the usual degrees are compiled one by one.
LPSNMR_INLINE void harmonics_of_four(int l_max, const double *x, const double *y, const double *z,
                                     double *out) {
  switch (l_max) {
  case 2:
    return real_harmonics<4>(2, x, y, z, out);
  case 3:
    return real_harmonics<4>(3, x, y, z, out);
  case 5:
    return real_harmonics<4>(5, x, y, z, out);
  default:
    return real_harmonics<4>(l_max, x, y, z, out);
  }
}

/// Expand the density: rows[lm][species · padded_length(count) + n] = Σ_k R_n(r_k) Y_lm(r̂_k).
///
/// @param rows  (harmonic_count(l_max), density_stride), overwritten; padding is zero
LPSNMR_INLINE void density_rows(const neighbors::Neighborhood &neighbors, int n_species,
                                const Radial &radial, int l_max, double *rows) {
  const int n_harmonics = harmonic_count(l_max), padded = padded_length(radial.count);
  const int stride = density_stride(n_species, radial.count);
  alignas(32) double harmonics[harmonic_count(max_harmonic_degree) * 4];
  alignas(32) double functions[max_radial_count * 4], own[4 * max_radial_count] = {};
  std::fill_n(rows, n_harmonics * stride, 0.0);
  NeighborBatch batch;
  for (std::size_t next = 0; batch.take(neighbors, radial.cutoff, next);) {
    harmonics_of_four(l_max, batch.x, batch.y, batch.z, harmonics);
    radial_functions<4>(radial.count, radial.cutoff, batch.r, functions);
    for (int n = 0; n < radial.count; ++n)
      for (int k = 0; k < 4; ++k) own[k * max_radial_count + n] = functions[4 * n + k];
    for (int k = 0; k < batch.filled; ++k) {
      double *to = rows + batch.species[k] * padded;
      for (int v = 0; v < padded; v += 4) {
        Four function, sum;
        function.load(own + k * max_radial_count + v);
        for (int lm = 0; lm < n_harmonics; ++lm) {
          sum.load(to + lm * stride + v);
          add_product(harmonics[4 * lm + k], function, sum);
          sum.store(to + lm * stride + v);
        }
      }
    }
  }
}
