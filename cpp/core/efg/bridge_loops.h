// The contraction of one bridge; included once per instruction set, inside namespace
// and target region of simd/versions.h, by bridge.cpp.

#include "core/efg/expansion_loops.h"

/// Form the products of one degree behind its linear channels: channels[m][stride …].
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
          Four sum[tile] = {}, right;
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
template <int count>
LPSNMR_INLINE void weigh_tile(const double *const *weights, const double *channels,
                              std::size_t length, double *const *out) {
  Four sum[2][4] = {};
  for (std::size_t k = 0; k < length; k += 4) {
    Four a, b, d;
    a.load(weights[0] + k);
    b.load(weights[1] + k);
    for (int m = 0; m < count; ++m) {
      d.load(channels + m * length + k);
      add_product(a, d, sum[0][m]);
      add_product(b, d, sum[1][m]);
    }
  }
  for (int o = 0; o < 2; ++o) {
    Four total;
    alignas(32) double values[4];
    total.row_sums(sum[o][0], sum[o][1], sum[o][2], sum[o][3]);
    total.store(values);
    std::copy_n(values, count, out[o]);
  }
}

/// Contract the channels of one degree with the weights of each output.
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
      weigh_tile<4>(w, from, length, out);
    if (left == 3) weigh_tile<3>(w, from, length, out);
    if (left == 1) weigh_tile<1>(w, from, length, out);
  }
}

void contract_bridge(const BridgePlan &plan, int bridge, const neighbors::Neighborhood &neighbors,
                     double *contracted, double *coordination, const BridgeRoom &room) {
  double *const rows = room.rows, *const factors = room.factors;
  const int padded = padded_length(plan.bridge.count);
  if (plan.factors > 0) {
    int stride = plan.stride, step = padded;
    if (!plan.shared) {
      stride = density_stride(plan.n_species, plan.product.count);
      step = padded_length(plan.product.count);
      density_rows(neighbors, plan.n_species, plan.product, plan.product_l_max, rows);
    } else {
      density_rows(neighbors, plan.n_species, plan.bridge, plan.bridge_l_max, rows);
    }
    for (int lm = 0; lm < harmonic_count(plan.product_l_max); ++lm)
      for (int q = 0; q < plan.factors; ++q)
        factors[lm * plan.padded_factors + q] =
            rows[lm * stride + q / plan.product.count * step + q % plan.product.count];
  }
  if (plan.factors == 0 || !plan.shared)
    density_rows(neighbors, plan.n_species, plan.bridge, plan.bridge_l_max, rows);
  for (int s = 0; s < plan.n_species; ++s) coordination[s] = rows[s * padded]; // n = 0, l = 0
  for (const BridgePlan::Degree &degree : plan.degrees) {
    for (int m = 0; m < 2 * degree.l + 1; ++m)
      std::copy_n(rows + (degree.l * degree.l + m) * plan.stride, plan.stride,
                  room.channels + m * degree.length);
    multiply_factors(plan, degree, factors, room.channels);
    weigh_channels(degree, bridge, room.channels, contracted);
  }
}
