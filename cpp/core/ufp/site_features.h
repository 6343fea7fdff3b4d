// The UFP as a linear model of one centre: how its energy moves with each coefficient.
#pragma once

#include "core/ufp/features.h"

#include <array>
#include <vector>

namespace lpsnmr::ufp {

/// One neighbour of a centre.
struct SiteNeighbor {
  int species;
  double distance;              ///< Å
  std::array<double, 3> vector; ///< from the centre, Å
};

/// The row d(energy of a centre)/d(coefficient); most entries are zero, so the others are listed.
///
/// The rows of all atoms add up to the energy row of evaluate_features(). Below a first knot the
/// splines go on as straight lines.
class SiteFeatures {
public:
  explicit SiteFeatures(const Basis &basis);

  /// Evaluate one centre; what was there before is forgotten.
  ///
  /// @param neighbors all within Basis::cutoff(), in any order; others are ignored
  void evaluate(int species, const std::vector<SiteNeighbor> &neighbors);

  /// Columns with an entry, each once, in the order they were met.
  const std::vector<int> &touched() const { return touched_; }
  double operator[](int column) const { return row_[static_cast<std::size_t>(column)]; }

private:
  void add(int column, double value);
  void add_triplets(int species);
  void add_triplet(const Basis::Triple &triple, const SiteNeighbor &j, const SiteNeighbor &k,
                   double r_jk);

  const Basis &basis_;
  std::vector<double> row_;
  std::vector<unsigned char> listed_;
  std::vector<int> touched_;
  std::vector<SiteNeighbor> close_; // three-body neighbours of the centre
};

} // namespace lpsnmr::ufp
