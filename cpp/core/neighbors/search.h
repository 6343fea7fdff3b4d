// Searches periodic or open systems of any cell shape and size for neighbours.
#pragma once

#include "core/neighbors/cell_bins.h"
#include "core/neighbors/neighbor_list.h"
#include "core/neighbors/system.h"

#include <vector>

namespace lpsnmr::neighbors {

/// Searches one system for the neighbours within several cutoffs. Memory is kept from system to
/// system.
class NeighborSearch {
public:
  /// Sort the atoms and their images into bins; linear in their number.
  ///
  /// @param system  atoms; the cell must be right- or left-handed with non-zero volume when
  ///                periodic
  /// @param cutoff  Å, > 0, the longest that will be asked for; may exceed the cell, images are
  ///                found
  /// @throws Error  for a cutoff or a cell that is not usable, or positions that are not finite
  void prepare(const System &system, double cutoff);

  /// Make the list of chosen centres; one that has been used before keeps its memory.
  ///
  /// @param cutoff   Å, at most that of prepare()
  /// @param centers  atom indices, or nullptr for all atoms
  /// @throws Error   for an index that is not one of an atom
  void list(double cutoff, const std::vector<int> *centers, NeighborList &list) const;

private:
  CellBins places_;
  std::vector<double> wrapped_; // (n, 3) positions in the cell
};

/// Prepare a search and make one list; see there.
NeighborList build_neighbor_list(const System &system, double cutoff,
                                 const std::vector<int> *centers = nullptr);

} // namespace lpsnmr::neighbors
