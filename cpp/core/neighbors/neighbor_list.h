// The neighbours of chosen atoms: a list of many centres, and the view of one of them.
#pragma once

#include <cstddef>
#include <vector>

namespace lpsnmr::neighbors {

/// The neighbours of one centre. The arrays belong to the caller; those that an evaluation does not
/// read may be nullptr.
struct Neighborhood {
  std::size_t size = 0;
  const double *vector = nullptr;   ///< (size, 3) from the centre, Å
  const double *distance = nullptr; ///< (size) Å
  const int *index = nullptr;       ///< (size) which atoms
  const int *species = nullptr;     ///< (size) as the potential or the basis counts them
  const int *slot = nullptr;        ///< (size) further numbers of the caller's, -1 for none
};

/// Neighbours of chosen centres within a cutoff, each ordered pair once, images as own entries.
struct NeighborList {
  std::vector<std::size_t> first; ///< (centres + 1): entries of centre c are first[c] .. first[c+1]
  std::vector<int> index;         ///< atom index of the neighbour
  std::vector<double> vector;     ///< (entries, 3) from centre to neighbour, Å
  std::vector<double> distance;   ///< (entries) Å

  std::size_t centers() const { return first.empty() ? 0 : first.size() - 1; }
  /// View a centre; `species` and `slot` are arrays over all entries, or nullptr.
  Neighborhood around(std::size_t center, const int *species = nullptr,
                      const int *slot = nullptr) const {
    const std::size_t begin = first[center];
    return {first[center + 1] - begin,
            vector.data() + 3 * begin,
            distance.data() + begin,
            index.data() + begin,
            species ? species + begin : nullptr,
            slot ? slot + begin : nullptr};
  }
  /// Species of the entries, from those of the atoms.
  std::vector<int> species_of_entries(const std::vector<int> &species) const;
};

/// Refuse two atoms at the same place; the centres of the list are all atoms.
void check_apart(const NeighborList &list);

} // namespace lpsnmr::neighbors
