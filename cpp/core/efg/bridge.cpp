#include "core/efg/bridge.h"

#include "core/efg/expansion.h"

#include <algorithm>

namespace lpsnmr::efg {

BridgeContraction::BridgeContraction(const Basis &basis, const double *weights) {
  const Settings &s = basis.settings();
  if (s.chain.count == 0) return;
  BridgePlan &p = plan_;
  p.bridge = s.bridge;
  p.product = s.product;
  p.n_species = basis.species_count();
  p.bridge_l_max = s.bridge_l_max;
  p.product_l_max = s.product_l_max;
  p.chain_count = s.chain.count;
  p.stride = density_stride(p.n_species, p.bridge.count);
  p.factors = p.n_species * p.product.count;
  p.padded_factors = padded_length(p.factors);
  // the first functions of one cutoff are the same whatever their number
  p.shared = p.product.cutoff == p.bridge.cutoff && p.product.count <= p.bridge.count &&
             p.product_l_max <= p.bridge_l_max;
  p.degrees.resize(p.bridge_l_max + 1);
  for (int l = 0; l <= p.bridge_l_max; ++l) p.degrees[l].l = l;
  for (const DegreePair &pair : basis.product_pairs()) {
    BridgePlan::Product product;
    for (int c = 0; c < 2 * pair.l + 1; ++c) {
      for (const CouplingTerm &t : pair.terms)
        if (t.c == c)
          product.terms.push_back({(pair.l1 * pair.l1 + t.a) * p.padded_factors,
                                   (pair.l2 * pair.l2 + t.b) * p.padded_factors, c, t.value});
      product.end.push_back(product.terms.size());
    }
    p.degrees[pair.l].products.push_back(std::move(product));
  }
  for (BridgePlan::Degree &degree : p.degrees)
    degree.length = p.stride + degree.products.size() * p.factors * p.padded_factors;
  std::size_t width = 0;
  for (const DegreePair &pair : basis.chain_pairs()) width += 2 * pair.l2 + 1;
  p.row = padded_length(static_cast<int>(width));
  lay_out_weights(basis, weights);
}

void BridgeContraction::lay_out_weights(const Basis &basis, const double *weights) {
  BridgePlan &p = plan_;
  const int padded = padded_length(p.bridge.count);
  for (std::size_t b = 0; b < basis.settings().bridges.size(); ++b) {
    for (BridgePlan::Degree &degree : p.degrees) degree.weights.emplace_back();
    std::size_t begin = 0; // of the pair of degrees in a row of the result
    for (const DegreePair &pair : basis.chain_pairs()) {
      BridgePlan::Degree &degree = p.degrees[pair.l2];
      for (std::size_t n = 0; n < p.chain_count; ++n) {
        if (b == 0) degree.to.push_back(n * p.row + begin);
        std::vector<double> line(degree.length, 0.0);
        for (int q = 0; q < p.n_species; ++q)
          for (int k = 0; k < p.bridge.count; ++k) line[q * padded + k] = *weights++;
        double *block = line.data() + p.stride;
        for (const DegreePair &product : basis.product_pairs()) {
          if (product.l != pair.l2) continue;
          for (int q = 0; q < p.factors; ++q)
            for (int r = product.l1 == product.l2 ? q : 0; r < p.factors; ++r)
              block[q * p.padded_factors + r] = *weights++;
          block += p.factors * p.padded_factors;
        }
        degree.weights[b].insert(degree.weights[b].end(), line.begin(), line.end());
        if (pair.l2 != 1) continue;
        field_weights_.insert(field_weights_.end(), weights, weights + basis.field_channels());
        weights += basis.field_channels();
      }
      begin += 2 * pair.l2 + 1;
    }
    if (basis.field_channels() > 0) // whole vectors of rows
      field_weights_.resize((b + 1) * padded_length(p.degrees[1].to.size()) *
                            basis.field_channels());
  }
}

namespace {

/// Form the products of one degree behind its linear channels: channels[m][stride …].
template <class V>
LPSNMR_INLINE void multiply_factors(const BridgePlan &plan, const BridgePlan::Degree &degree,
                                    const double *factors, double *channels) {
  constexpr int tile = 4; // left factors at once
  const int padded = plan.padded_factors;
  double *block = channels + plan.stride;
  for (const BridgePlan::Product &product : degree.products) {
    const CouplingTerm *first = product.terms.data();
    for (int m = 0; m < 2 * degree.l + 1; ++m) {
      const CouplingTerm *end = product.terms.data() + product.end[m];
      double *to = block + m * degree.length;
      for (int q = 0; q < plan.factors; q += tile)
        for (int p = 0; p < padded; p += 4) {
          V sum[tile] = {}, right;
          for (const CouplingTerm *t = first; t != end; ++t) {
            const double *left = factors + t->a + q; // padded with zeros: all can be read
            right.load(factors + t->b + p);
            multiply(t->value, right, right);
            for (int k = 0; k < tile; ++k) add_product(left[k], right, sum[k]);
          }
          for (int k = 0; k < tile; ++k)
            if (q + k < plan.factors) sum[k].store(to + (q + k) * padded + p);
        }
      first = end;
    }
    block += plan.factors * padded;
  }
}

/// Two outputs of `count` ≤ 4 components: sums over the channels.
template <class V, int count>
LPSNMR_INLINE void weigh_tile(const double *const *weights, const double *channels,
                              std::size_t length, double *const *out) {
  V sum[2][4] = {};
  for (std::size_t k = 0; k < length; k += 4) {
    V a, b, d;
    a.load(weights[0] + k);
    b.load(weights[1] + k);
    for (int m = 0; m < count; ++m) {
      d.load(channels + m * length + k);
      add_product(a, d, sum[0][m]);
      add_product(b, d, sum[1][m]);
    }
  }
  for (int o = 0; o < 2; ++o) {
    V total;
    alignas(32) double values[4];
    total.row_sums(sum[o][0], sum[o][1], sum[o][2], sum[o][3]);
    total.store(values);
    std::copy_n(values, count, out[o]);
  }
}

/// Contract the channels of one degree with the weights of each output.
template <class V>
LPSNMR_INLINE void weigh_channels(const BridgePlan::Degree &degree, int bridge,
                                  const double *channels, double *contracted) {
  const std::size_t length = degree.length, outputs = degree.to.size();
  for (std::size_t o = 0; o < outputs; o += 2) {
    const std::size_t other = std::min(o + 1, outputs - 1); // a last odd one is done twice
    const double *w[2] = {degree.weights[bridge].data() + o * length,
                          degree.weights[bridge].data() + other * length};
    double *out[2] = {contracted + degree.to[o], contracted + degree.to[other]};
    const double *from = channels;
    int left = 2 * degree.l + 1;
    for (; left >= 4; left -= 4, from += 4 * length, out[0] += 4, out[1] += 4)
      weigh_tile<V, 4>(w, from, length, out);
    if (left == 3) weigh_tile<V, 3>(w, from, length, out);
    if (left == 1) weigh_tile<V, 1>(w, from, length, out);
  }
}

/// Scratch of one thread: rows of the density, factors, channels of one degree.
struct Room {
  std::vector<double> rows, factors, channels;
};

template <class V>
LPSNMR_INLINE void contract_one(const BridgePlan &plan, int bridge,
                                const neighbors::Neighborhood &neighbors, double *contracted,
                                double *coordination, Room &room) {
  double *rows = room.rows.data(), *factors = room.factors.data();
  const int padded = padded_length(plan.bridge.count);
  if (plan.factors > 0) {
    int stride = plan.stride, step = padded;
    if (!plan.shared) {
      stride = density_stride(plan.n_species, plan.product.count);
      step = padded_length(plan.product.count);
      density_rows<V>(neighbors, plan.n_species, plan.product, plan.product_l_max, rows);
    } else {
      density_rows<V>(neighbors, plan.n_species, plan.bridge, plan.bridge_l_max, rows);
    }
    for (int lm = 0; lm < harmonic_count(plan.product_l_max); ++lm)
      for (int q = 0; q < plan.factors; ++q)
        factors[lm * plan.padded_factors + q] =
            rows[lm * stride + q / plan.product.count * step + q % plan.product.count];
  }
  if (plan.factors == 0 || !plan.shared)
    density_rows<V>(neighbors, plan.n_species, plan.bridge, plan.bridge_l_max, rows);
  for (int s = 0; s < plan.n_species; ++s) coordination[s] = rows[s * padded]; // n = 0, l = 0
  for (const BridgePlan::Degree &degree : plan.degrees) {
    for (int m = 0; m < 2 * degree.l + 1; ++m)
      std::copy_n(rows + (degree.l * degree.l + m) * plan.stride, plan.stride,
                  room.channels.data() + m * degree.length);
    multiply_factors<V>(plan, degree, factors, room.channels.data());
    weigh_channels<V>(degree, bridge, room.channels.data(), contracted);
  }
}

#if defined(LPSNMR_EFG_VERSIONS)
LPSNMR_EFG_AVX512 void dispatch(const BridgePlan &plan, int bridge,
                                const neighbors::Neighborhood &neighbors, double *contracted,
                                double *coordination, Room &room) {
  contract_one<simd::Wide>(plan, bridge, neighbors, contracted, coordination, room);
}
LPSNMR_EFG_AVX2 void dispatch(const BridgePlan &plan, int bridge,
                              const neighbors::Neighborhood &neighbors, double *contracted,
                              double *coordination, Room &room) {
  contract_one<simd::Wide>(plan, bridge, neighbors, contracted, coordination, room);
}
#endif
LPSNMR_EFG_BASE void dispatch(const BridgePlan &plan, int bridge,
                              const neighbors::Neighborhood &neighbors, double *contracted,
                              double *coordination, Room &room) {
  contract_one<simd::Narrow>(plan, bridge, neighbors, contracted, coordination, room);
}

} // namespace

void BridgeContraction::contract(int bridge, const neighbors::Neighborhood &neighbors,
                                 double *contracted, double *coordination) const {
  thread_local Room room;
  const int harmonics = harmonic_count(std::max(plan_.bridge_l_max, plan_.product_l_max));
  const int stride = std::max(plan_.stride, density_stride(plan_.n_species, plan_.product.count));
  room.rows.resize(std::size_t(harmonics) * stride);
  // the padding of the factors stays zero
  room.factors.assign(std::size_t(harmonic_count(plan_.product_l_max)) * plan_.padded_factors, 0.0);
  std::size_t most = 0;
  for (const BridgePlan::Degree &degree : plan_.degrees)
    most = std::max(most, degree.length * (2 * degree.l + 1));
  room.channels.resize(most);
  std::fill_n(contracted, size(), 0.0);
  dispatch(plan_, bridge, neighbors, contracted, coordination, room);
}

} // namespace lpsnmr::efg
