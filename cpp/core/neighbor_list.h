// Full neighbour lists of periodic or open systems of any cell shape and size.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace lpsnmr {

/// Atoms in a cell. The pointed-to arrays belong to the caller and are only read.
struct System {
  const double *positions = nullptr; ///< (n, 3) row-major, Å; need not be wrapped
  std::size_t size = 0;
  std::array<double, 9> cell{}; ///< rows are the cell vectors, Å; ignored along open axes
  std::array<bool, 3> periodic{true, true, true};
};

/// Neighbours of chosen centres within a cutoff, each ordered pair once, images as own entries.
struct NeighborList {
  std::vector<std::size_t> first; ///< (centres + 1): entries of centre c are first[c] .. first[c+1]
  std::vector<int> index;         ///< atom index of the neighbour
  std::vector<double> vector;     ///< (entries, 3) from centre to neighbour, Å
  std::vector<double> distance;   ///< (entries) Å
};

/// Build the list by linked cells; linear in the number of atoms.
///
/// @param system   atoms; the cell must be right- or left-handed with non-zero volume when periodic
/// @param cutoff   Å, > 0; may exceed the cell, images are found
/// @param centers  atom indices, or nullptr for all atoms
/// @throws Error   for a cutoff or a cell that is not usable, or positions that are not finite
NeighborList build_neighbor_list(const System &system, double cutoff,
                                 const std::vector<int> *centers = nullptr);

/// The same into a list that may have been used before; its memory is kept.
void build_neighbor_list(const System &system, double cutoff, const std::vector<int> *centers,
                         NeighborList &list);

} // namespace lpsnmr
