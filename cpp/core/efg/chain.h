// The chain term of a target: directions to its bridges coupled to the bridges' contracted
// descriptors.
#pragma once

#include "core/efg/basis.h"
#include "core/neighbors/neighbor_list.h"
#include "core/simd/instructions.h"

#include <vector>

namespace lpsnmr::efg {

/// What the loops over the chains of a target read.
struct ChainPlan {
  static constexpr std::size_t max_row = 256;
  /// One term of the coupling: offsets in tables of `lanes` numbers per harmonic or entry of a row.
  struct Term {
    int harmonic, entry;
    double value;
  };
  Radial radial;
  int l_max;
  std::size_t row;         ///< numbers per radial function of a contracted descriptor
  const Term *terms;       ///< by component
  const std::size_t *ends; ///< (5) where the terms of each component end
};

/// Couples directions and contracted descriptors to a tensor. Immutable.
class ChainCoupling {
public:
  /// @param row  numbers per radial function of a contracted descriptor (BridgeContraction::row)
  ChainCoupling(const Basis &basis, std::size_t row, simd::Instructions instructions);

  /// Add the chains of a target to its components.
  ///
  /// @param neighbors   `slot` picks the bridge, −1 for what is none
  /// @param contracted  (slots, chain.count, row)
  /// @param components  (5), added to
  void add(const neighbors::Neighborhood &neighbors, const double *contracted,
           double *components) const;

  static constexpr int lanes = 8; ///< bridges at once

private:
  using Function = void (*)(const ChainPlan &, const neighbors::Neighborhood &, const double *,
                            double *);
  Function function_;
  Radial radial_;
  int l_max_ = 2;
  std::size_t row_;
  std::vector<ChainPlan::Term> terms_; // by component
  std::size_t ends_[5] = {};           // where the terms of each component end
};

} // namespace lpsnmr::efg
