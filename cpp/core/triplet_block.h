// The inner loop of the three-body term, compiled for several instruction sets.
#pragma once

#include "ufp_kernel.h"

#include <cstddef>
#include <vector>

namespace lpsnmr {

/// All triplets of one centre with j in one species group and k in another (or the same) one.
struct TripletBlock {
  const TripleTable *table;
  const KnotGrid *grid_jk;
  const UfpNeighbor *neighbors;
  const BasisValues *basis_ij, *basis_ik; ///< by neighbour
  std::size_t j_begin, j_end, k_begin, k_end;
  bool same_group; ///< k runs from j + 1
  double *radial;  ///< (neighbours) += dV/dr from the centre
  double *forces;  ///< (neighbours, 4) += force of the j-k terms
};

/// Return the sum of V3 over the block; appends to records when not nullptr.
double evaluate_triplet_block(const TripletBlock &block, std::vector<TripletRecord> *records);

} // namespace lpsnmr
