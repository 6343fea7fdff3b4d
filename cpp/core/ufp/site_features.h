// The UFP as a linear model of one centre: how its energy moves with each coefficient.
#pragma once

#include "core/neighbors/neighbor_list.h"
#include "core/ufp/features.h"

#include <cstddef>
#include <vector>

namespace lpsnmr::ufp {

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
  void evaluate(int species, const neighbors::Neighborhood &neighbors);

  /// Columns with an entry, each once, in the order they were met.
  const std::vector<int> &touched() const { return touched_; }
  double operator[](int column) const { return row_[static_cast<std::size_t>(column)]; }

private:
  void add(int column, double value);
  void add_triplets(int species, const neighbors::Neighborhood &neighbors);
  void add_triplet(const Basis::Triple &triple, double r_ij, double r_ik, double r_jk);

  const Basis &basis_;
  std::vector<double> row_;
  std::vector<unsigned char> listed_;
  std::vector<int> touched_;
  std::vector<std::size_t> close_; // three-body neighbours of the centre
};

} // namespace lpsnmr::ufp
