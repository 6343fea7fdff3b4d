#include "core/efg/bridge.h"

#include "core/efg/expansion.h"

#include <algorithm>

#define LPSNMR_LOOPS "core/efg/bridge_loops.h"
#define LPSNMR_LOOPS_NAMESPACE efg
#include "core/simd/versions.h"

namespace lpsnmr::efg {

BridgeContraction::BridgeContraction(const Basis &basis, const double *weights,
                                     simd::Instructions instructions)
    : function_(LPSNMR_VERSION(contract_bridge, instructions)) {
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

void BridgeContraction::contract(int bridge, const neighbors::Neighborhood &neighbors,
                                 double *contracted, double *coordination) const {
  thread_local struct {
    std::vector<double> rows, factors, channels;
  } room;
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
  function_(plan_, bridge, neighbors, contracted, coordination,
            {room.rows.data(), room.factors.data(), room.channels.data()});
}

} // namespace lpsnmr::efg
