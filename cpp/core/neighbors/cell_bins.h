// Places of atoms and of their images, sorted into bins, to be found by distance from a point.
#pragma once

#include "core/neighbors/neighbor_list.h"

#include <array>
#include <cstddef>
#include <vector>

namespace lpsnmr::neighbors {

/// Places in bins; an image of an atom is a place of its own. Memory is kept from use to use.
class CellBins {
public:
  void clear();
  /// Add a place. The coordinates must be finite.
  void add(double x, double y, double z, int atom) {
    x_.push_back(x);
    y_.push_back(y);
    z_.push_back(z);
    atom_.push_back(atom);
  }
  std::size_t size() const { return atom_.size(); }

  /// Sort all that was added into bins; linear in their number.
  ///
  /// @param reach  Å, > 0, the longest cutoff to be asked for: sets the size of the bins
  void sort(double reach);

  /// Append to a list the places nearer than a cutoff to a centre, as entries without `first`.
  ///
  /// @param center  (3) Å
  /// @param cutoff  Å
  /// @param self    the atom that the centre is: its place in the centre itself is left out
  /// @param list    `index`, `vector`, `distance` are written from entry `size` on and made larger
  ///                where they must be, not smaller
  /// @return        number of entries now
  std::size_t find(const double *center, double cutoff, int self, NeighborList &list,
                   std::size_t size) const;

private:
  std::size_t bin_of(std::size_t place) const;
  void choose_bins(double reach);
  std::vector<double> x_, y_, z_; // after sort() bin by bin, with three more to be read
  std::vector<int> atom_;
  std::array<double, 3> low_{};
  std::array<double, 3> width_{}, inverse_{}; // Å, of the bins, and 1/Å
  std::array<int, 3> bins_{};
  std::vector<std::size_t> start_; // (bins + 1)
  struct Unsorted {
    std::vector<double> x, y, z;
    std::vector<int> atom;
  };
  Unsorted unsorted_;
  std::vector<std::size_t> bin_, fill_;
};

} // namespace lpsnmr::neighbors
