// The descriptor of a bridge contracted with the weights of a fitted model, without forming it as
// features.
#pragma once

#include "core/efg/basis.h"
#include "core/neighbors/neighbor_list.h"
#include "core/simd/instructions.h"

#include <vector>

namespace lpsnmr::efg {

/// Weights and couplings of a contraction, laid out for its loops.
struct BridgePlan {
  /// A product of two degrees of the density: its terms, ordered by component of the result.
  struct Product {
    std::vector<CouplingTerm> terms; ///< a and b are offsets of rows of factors
    std::vector<std::size_t> end;    ///< where the terms of each component end
  };
  /// What is contracted to one degree of the bridge.
  struct Degree {
    int l = 0;
    std::size_t length = 0;                   ///< channels, padded: linear ones, then products
    std::vector<Product> products;            ///< empty when the term is off
    std::vector<std::size_t> to;              ///< (outputs) where each begins in the result
    std::vector<std::vector<double>> weights; ///< by bridge: (outputs, length)
  };
  Radial bridge, product;
  int n_species = 0, bridge_l_max = 0, product_l_max = 0;
  int stride = 0;                      ///< of the rows of the density
  int factors = 0, padded_factors = 0; ///< channels that are multiplied
  bool shared = false;                 ///< the factors are channels of the density
  std::size_t chain_count = 0;         ///< radial functions of the chain
  std::size_t row = 0;                 ///< numbers of one of them in the result
  std::vector<Degree> degrees;
};

/// Scratch of one thread: rows of the density, factors, channels of one degree.
struct BridgeRoom {
  double *rows, *factors, *channels;
};

/// Contracts the surroundings of bridges with the chain weights of one target. Immutable.
///
/// The result of a bridge is (chain.count, row): for each radial function Σ over the channels of
/// weight · descriptor, for all pairs of degrees of the chain, 2 l2 + 1 numbers each, padded to
/// whole vectors of four.
class BridgeContraction {
public:
  /// @param weights  (bridges · basis.bridge_block()), the chain part of the weights
  BridgeContraction(const Basis &basis, const double *weights, simd::Instructions instructions);

  /// Numbers of one radial function, padding included.
  std::size_t row() const { return plan_.row; }
  std::size_t size() const { return plan_.chain_count * plan_.row; }
  /// Where the outputs of degree 1 begin in a result: each gets one field added.
  const std::vector<std::size_t> &field_outputs() const { return plan_.degrees[1].to; }
  /// Weights of the fields: (bridges, outputs padded to whole vectors of four, field_channels).
  const std::vector<double> &field_weights() const { return field_weights_; }

  /// @param bridge        position in Settings::bridges
  /// @param neighbors     all within basis.bridge_cutoff(); farther ones count nothing
  /// @param contracted    (size()), overwritten
  /// @param coordination  (n_species), overwritten: smooth coordination numbers of the bridge
  void contract(int bridge, const neighbors::Neighborhood &neighbors, double *contracted,
                double *coordination) const;

private:
  void lay_out_weights(const Basis &basis, const double *weights);
  using Function = void (*)(const BridgePlan &, int, const neighbors::Neighborhood &, double *,
                            double *, const BridgeRoom &);
  Function function_;
  BridgePlan plan_;
  std::vector<double> field_weights_;
};

} // namespace lpsnmr::efg
