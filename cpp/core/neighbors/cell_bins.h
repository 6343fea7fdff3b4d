// Places of atoms and of their images, sorted into bins, to be found by distance from a point.
#pragma once

#include "core/neighbors/neighbor_list.h"
#include "core/simd/instructions.h"

#include <array>
#include <cstddef>
#include <vector>

namespace lpsnmr::neighbors {

/// Places sorted into bins, as the loops read them.
struct SortedPlaces {
  std::vector<double> x, y, z; ///< Å, bin by bin, with three more to be read
  std::vector<int> atom;
  std::array<double, 3> low{};
  std::array<double, 3> width{}, inverse{}; ///< Å, of the bins, and 1/Å
  std::array<int, 3> bins{};
  std::vector<std::size_t> start; ///< (bins + 1)
};

/// Places in bins; an image of an atom is a place of its own. Memory is kept from use to use.
class CellBins {
public:
  void clear();
  /// Add a place. The coordinates must be finite.
  void add(double x, double y, double z, int atom) {
    sorted_.x.push_back(x);
    sorted_.y.push_back(y);
    sorted_.z.push_back(z);
    sorted_.atom.push_back(atom);
  }
  std::size_t size() const { return sorted_.atom.size(); }

  /// Sort all that was added into bins; linear in their number.
  ///
  /// @param reach         Å, > 0, the longest cutoff to be asked for: sets the size of the bins
  /// @param instructions  by which find() is to go
  void sort(double reach, simd::Instructions instructions = simd::chosen_instructions());

  /// Append to a list the places nearer than a cutoff to a centre, as entries without `first`.
  ///
  /// @param center  (3) Å
  /// @param cutoff  Å
  /// @param self    the atom that the centre is: its place in the centre itself is left out
  /// @param list    `index`, `vector`, `distance` are written from entry `size` on and made larger
  ///                where they must be, not smaller
  /// @return        number of entries now
  std::size_t find(const double *center, double cutoff, int self, NeighborList &list,
                   std::size_t size) const {
    return find_(sorted_, center, cutoff, self, list, size);
  }

private:
  std::size_t bin_of(std::size_t place) const;
  void choose_bins(double reach);
  using Find = std::size_t (*)(const SortedPlaces &, const double *, double, int, NeighborList &,
                               std::size_t);
  SortedPlaces sorted_; // before sort() in the order of add()
  Find find_ = nullptr; // set by sort()
  struct Unsorted {
    std::vector<double> x, y, z;
    std::vector<int> atom;
  };
  Unsorted unsorted_;
  std::vector<std::size_t> bin_, fill_;
};

} // namespace lpsnmr::neighbors
