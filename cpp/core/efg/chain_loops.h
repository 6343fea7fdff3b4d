// The chains of a target; included once per instruction set, inside namespace
// and target region of simd/versions.h, by chain.cpp.

constexpr int lanes = ChainCoupling::lanes;

/// Unit vectors and distances of up to `lanes` bridges; empty lanes point along z.
struct Directions {
  alignas(64) double x[lanes], y[lanes], z[lanes], r[lanes];
  const double *from[lanes]; // contracted descriptors
  int filled;

  /// Take the next bridges from entry `next` on; false when none is left.
  LPSNMR_INLINE bool take(const neighbors::Neighborhood &neighbors, const double *contracted,
                          std::size_t size, std::size_t &next) {
    filled = 0;
    for (; next < neighbors.size && filled < lanes; ++next) {
      if (neighbors.slot[next] < 0) continue;
      from[filled] = contracted + neighbors.slot[next] * size;
      r[filled] = neighbors.distance[next];
      x[filled] = neighbors.vector[3 * next];
      y[filled] = neighbors.vector[3 * next + 1];
      z[filled++] = neighbors.vector[3 * next + 2];
    }
    for (int k = filled; k < lanes; ++k) x[k] = y[k] = 0.0, z[k] = r[k] = 1.0;
    for (int k = 0; k < lanes; ++k) {
      const double inverse = 1.0 / r[k];
      x[k] *= inverse, y[k] *= inverse, z[k] *= inverse;
    }
    return filled > 0;
  }
};

/// Weigh the radial functions of each bridge's descriptor: pulled[entry][lane]; empty lanes are 0.
LPSNMR_INLINE void pull_rows(const Directions &d, const Radial &radial, std::size_t row,
                             double *pulled) {
  alignas(64) double functions[max_radial_count * lanes];
  alignas(32) double four[4];
  radial_functions<lanes>(radial.count, radial.cutoff, d.r, functions);
  for (int k = 0; k < lanes; ++k)
    for (std::size_t c = 0; c < row; c += 4) {
      Four sum = {};
      if (k < d.filled)
        for (int n = 0; n < radial.count; ++n) {
          Four entry;
          entry.load(d.from[k] + n * row + c);
          add_product(functions[n * lanes + k], entry, sum);
        }
      sum.store(four);
      for (int i = 0; i < 4; ++i) pulled[(c + i) * lanes + k] = four[i];
    }
}

/// Add one term for all lanes.
LPSNMR_INLINE void add_term(const ChainPlan::Term &t, const double *harmonics, const double *pulled,
                            Four &to_low, Four &to_high) {
  Four a, b;
  a.load(harmonics + t.harmonic);
  b.load(pulled + t.entry);
  multiply(t.value, a, a);
  add_product(a, b, to_low);
  a.load(harmonics + t.harmonic + 4);
  b.load(pulled + t.entry + 4);
  multiply(t.value, a, a);
  add_product(a, b, to_high);
}

/// Add the chains of a target to its components.
void add_chains(const ChainPlan &plan, const neighbors::Neighborhood &neighbors,
                const double *contracted, double *components) {
  alignas(64) double harmonics[harmonic_count(max_harmonic_degree) * lanes];
  alignas(64) double pulled[ChainPlan::max_row * lanes];
  Directions d;
  for (std::size_t next = 0; d.take(neighbors, contracted, plan.radial.count * plan.row, next);) {
    if (plan.l_max == 5)
      real_harmonics<lanes>(5, d.x, d.y, d.z, harmonics); // compiled for the usual degree
    else
      real_harmonics<lanes>(plan.l_max, d.x, d.y, d.z, harmonics);
    pull_rows(d, plan.radial, plan.row, pulled);
    const ChainPlan::Term *term = plan.terms;
    Four sums[5];
    for (int c = 0; c < 5; ++c) {
      Four low = {}, high = {}, odd_low = {}, odd_high = {}; // two sums hide the latency of one
      const ChainPlan::Term *end = plan.terms + plan.ends[c];
      for (; term + 1 < end; term += 2) {
        add_term(term[0], harmonics, pulled, low, high);
        add_term(term[1], harmonics, pulled, odd_low, odd_high);
      }
      if (term < end) add_term(*term++, harmonics, pulled, low, high);
      add(odd_low, low);
      add(odd_high, high);
      add(high, low);
      sums[c] = low;
    }
    Four total;
    alignas(32) double four[4];
    total.row_sums(sums[0], sums[1], sums[2], sums[3]);
    total.store(four);
    for (int c = 0; c < 4; ++c) components[c] += four[c];
    sums[4].store(four);
    components[4] += (four[0] + four[1]) + (four[2] + four[3]);
  }
}
