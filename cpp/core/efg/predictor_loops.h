// The pair term and the body-order-3 term of a target: included once per instruction set, inside
// namespace and target region of simd/versions.h, by predictor.cpp.

constexpr int lanes = pair_lanes;

/// Unit vectors and distances of up to `lanes` neighbours; empty lanes repeat the first.
struct PairBatch {
  alignas(64) double x[lanes], y[lanes], z[lanes], r[lanes];
  int filled;

  LPSNMR_INLINE PairBatch(const neighbors::Neighborhood &neighbors, std::size_t begin,
                          std::size_t count)
      : filled(static_cast<int>(count)) {
    for (int k = 0; k < lanes; ++k) {
      const std::size_t e = begin + std::size_t(k < filled ? k : 0);
      r[k] = neighbors.distance[e];
      const double inverse = 1.0 / r[k];
      x[k] = neighbors.vector[3 * e] * inverse;
      y[k] = neighbors.vector[3 * e + 1] * inverse;
      z[k] = neighbors.vector[3 * e + 2] * inverse;
    }
  }
};

/// The pair term of a target.
///
/// @param weights       (species, n)
/// @param sums          (5, lanes), added to
/// @param coordination  (species), added to: smooth coordination numbers
void add_pairs(const neighbors::Neighborhood &neighbors, const Radial &radial,
               const double *weights, double *sums, double *coordination) {
  alignas(32) double harmonics[harmonic_count(2) * lanes], functions[max_radial_count * lanes];
  alignas(32) double value[lanes];
  for (std::size_t begin = 0; begin < neighbors.size; begin += lanes) {
    const PairBatch batch(neighbors, begin, std::min<std::size_t>(lanes, neighbors.size - begin));
    real_harmonics<lanes>(2, batch.x, batch.y, batch.z, harmonics);
    radial_functions<lanes>(radial.count, radial.cutoff, batch.r, functions);
    for (int k = 0; k < lanes; ++k) {
      value[k] = 0.0;
      if (k >= batch.filled) continue;
      const double *w = weights + neighbors.species[begin + k] * radial.count;
      for (int n = 0; n < radial.count; ++n) value[k] += w[n] * functions[n * lanes + k];
      coordination[neighbors.species[begin + k]] += functions[k]; // n = 0 is the envelope
    }
    for (int m = 0; m < 5; ++m)
      for (int k = 0; k < lanes; ++k)
        sums[m * lanes + k] += value[k] * harmonics[(4 + m) * lanes + k];
  }
}

/// Scalar product by four running sums, which the compiler turns into one vector.
LPSNMR_INLINE double dot(std::size_t n, const double *a, const double *b) {
  double sum[lanes] = {}, rest = 0.0;
  std::size_t k = 0;
  for (; k + lanes <= n; k += lanes)
    for (int lane = 0; lane < lanes; ++lane) sum[lane] += a[k + lane] * b[k + lane];
  for (; k < n; ++k) rest += a[k] * b[k];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]) + rest;
}

/// The body-order-3 term of a target.
///
/// @param w            (pair of degrees, channel', channel)
/// @param by_harmonic  (lm, channel) the density around the target
/// @param weighted     room for (2 l2 + 1, channel)
/// @param components   (5), added to
void add_triples(const std::vector<DegreePair> &pairs, const double *w, std::size_t channels,
                 const double *by_harmonic, double *weighted, double *components) {
  for (const DegreePair &pair : pairs) {
    const int size = 2 * pair.l2 + 1;
    std::fill_n(weighted, size * channels, 0.0);
    for (std::size_t p = 0; p < channels; ++p, w += channels)
      for (int b = 0; b < size; ++b) {
        const double factor = by_harmonic[(pair.l2 * pair.l2 + b) * channels + p];
        for (std::size_t q = 0; q < channels; ++q) weighted[b * channels + q] += factor * w[q];
      }
    for (const CouplingTerm &t : pair.terms) {
      const double *a = by_harmonic + (pair.l1 * pair.l1 + t.a) * channels;
      const double *b = weighted + t.b * channels;
      components[t.c] += t.value * dot(channels, a, b);
    }
  }
}
