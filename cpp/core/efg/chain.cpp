#include "core/efg/chain.h"

#include "core/common/error.h"
#include "core/efg/expansion.h"

#include <algorithm>
#include <cmath>

namespace lpsnmr::efg {
namespace {

constexpr int lanes = ChainCoupling::lanes;
constexpr int max_count = 16;
constexpr int max_row = 256;

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
template <class V>
LPSNMR_INLINE void pull_rows(const Directions &d, const Radial &radial, std::size_t row,
                             double *pulled) {
  alignas(64) double functions[max_count * lanes];
  alignas(32) double four[4];
  radial_functions<lanes>(radial.count, radial.cutoff, d.r, functions);
  for (int k = 0; k < lanes; ++k)
    for (std::size_t c = 0; c < row; c += 4) {
      V sum = {};
      if (k < d.filled)
        for (int n = 0; n < radial.count; ++n) {
          V entry;
          entry.load(d.from[k] + n * row + c);
          add_product(functions[n * lanes + k], entry, sum);
        }
      sum.store(four);
      for (int i = 0; i < 4; ++i) pulled[(c + i) * lanes + k] = four[i];
    }
}

} // namespace

ChainCoupling::ChainCoupling(const Basis &basis, std::size_t row)
    : radial_(basis.settings().chain), row_(row) {
  if (row > max_row) throw Error("bridge_l_max is too high for the predictor");
  for (const DegreePair &pair : basis.chain_pairs()) l_max_ = std::max(l_max_, pair.l1);
  for (int c = 0; c < 5; ++c) {
    int begin = 0;
    for (const DegreePair &pair : basis.chain_pairs()) {
      for (const CouplingTerm &t : pair.terms)
        if (t.c == c)
          terms_.push_back({(pair.l1 * pair.l1 + t.a) * lanes, (begin + t.b) * lanes, t.value});
      begin += 2 * pair.l2 + 1;
    }
    ends_[c] = terms_.size();
  }
}

template <class V>
LPSNMR_INLINE void ChainCoupling::run(const neighbors::Neighborhood &neighbors,
                                      const double *contracted, double *components) const {
  alignas(64) double harmonics[harmonic_count(max_harmonic_degree) * lanes];
  alignas(64) double pulled[max_row * lanes];
  Directions d;
  for (std::size_t next = 0; d.take(neighbors, contracted, radial_.count * row_, next);) {
    if (l_max_ == 5)
      real_harmonics<lanes>(5, d.x, d.y, d.z, harmonics); // compiled for the usual degree
    else
      real_harmonics<lanes>(l_max_, d.x, d.y, d.z, harmonics);
    pull_rows<V>(d, radial_, row_, pulled);
    const Term *term = terms_.data();
    V sums[5];
    for (int c = 0; c < 5; ++c) {
      V low = {}, high = {}, odd_low = {}, odd_high = {}; // two sums hide the latency of one
      const auto add_term = [&](const Term &t, V &to_low, V &to_high) {
        V a, b;
        a.load(harmonics + t.harmonic);
        b.load(pulled + t.entry);
        multiply(t.value, a, a);
        add_product(a, b, to_low);
        a.load(harmonics + t.harmonic + 4);
        b.load(pulled + t.entry + 4);
        multiply(t.value, a, a);
        add_product(a, b, to_high);
      };
      const Term *end = terms_.data() + ends_[c];
      for (; term + 1 < end; term += 2) {
        add_term(term[0], low, high);
        add_term(term[1], odd_low, odd_high);
      }
      if (term < end) add_term(*term++, low, high);
      simd::add(odd_low, low);
      simd::add(odd_high, high);
      simd::add(high, low);
      sums[c] = low;
    }
    V total;
    alignas(32) double four[4];
    total.row_sums(sums[0], sums[1], sums[2], sums[3]);
    total.store(four);
    for (int c = 0; c < 4; ++c) components[c] += four[c];
    sums[4].store(four);
    components[4] += (four[0] + four[1]) + (four[2] + four[3]);
  }
}

/// The loop compiled for several processors.
struct ChainVersions {
  template <class V>
  LPSNMR_INLINE static void run(const ChainCoupling &chain,
                                const neighbors::Neighborhood &neighbors, const double *contracted,
                                double *components) {
    chain.run<V>(neighbors, contracted, components);
  }
};

namespace {

#if defined(LPSNMR_EFG_VERSIONS)
LPSNMR_EFG_AVX512 void dispatch(const ChainCoupling &chain,
                                const neighbors::Neighborhood &neighbors, const double *contracted,
                                double *components) {
  ChainVersions::run<simd::Wide>(chain, neighbors, contracted, components);
}
LPSNMR_EFG_AVX2 void dispatch(const ChainCoupling &chain, const neighbors::Neighborhood &neighbors,
                              const double *contracted, double *components) {
  ChainVersions::run<simd::Wide>(chain, neighbors, contracted, components);
}
#endif
LPSNMR_EFG_BASE void dispatch(const ChainCoupling &chain, const neighbors::Neighborhood &neighbors,
                              const double *contracted, double *components) {
  ChainVersions::run<simd::Narrow>(chain, neighbors, contracted, components);
}

} // namespace

void ChainCoupling::add(const neighbors::Neighborhood &neighbors, const double *contracted,
                        double *components) const {
  dispatch(*this, neighbors, contracted, components);
}

} // namespace lpsnmr::efg
