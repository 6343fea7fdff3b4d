// The three-body sum of one centre, compiled for several instruction sets.
#pragma once

#include "ufp_kernel.h"

#include <cstddef>
#include <vector>

namespace lpsnmr {

/// Work arrays over the three-body neighbours of one centre; padded so that vectors of four may
/// read and write past the end.
struct TripletWorkspace {
  static constexpr std::size_t padding = 4;
  std::vector<double> x, y, z;                   ///< vectors from the centre
  std::vector<double> radial;                    ///< dV/dr along each of them
  std::vector<double> forces;                    ///< (n, 4) force of the j-k terms
  std::vector<double> distance, inverse, offset; ///< one row: r_jk, 1/r_jk, r_jk - start of span
  std::vector<int> span;

  /// Make room for n neighbours and zero what is accumulated.
  void reset(std::size_t n);
};

/// What evaluate_triplets needs to know of one centre.
struct TripletCenter {
  const UfpPotential *potential;
  int species;
  const std::vector<UfpNeighbor> *neighbors;          ///< grouped by ascending species
  const std::size_t *first;                           ///< (species + 1) group bounds
  const std::vector<std::vector<BasisValues>> *basis; ///< (grid, neighbour)
  TripletWorkspace *work;
};

/// Return the sum of V3 over all pairs of neighbours; appends to records when not nullptr.
///
/// Adds dV/dr of the centre's distances to work->radial and the forces along r_jk to work->forces.
double evaluate_triplets(const TripletCenter &center, std::vector<TripletRecord> *records);

} // namespace lpsnmr
