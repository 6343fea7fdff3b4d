// The neighbourhoods of a whole system as the kernels take them, for evaluation without LAMMPS.
#pragma once

#include "core/neighbors/neighbor_list.h"
#include "core/ufp/kernel.h"

#include <string>
#include <vector>

namespace lpsnmr::ufp {

/// Refuse species that are not one per atom, or not within 0 .. n_species - 1.
void check_species(const std::vector<int> &species, std::size_t atoms, int n_species);

/// Refuse two atoms at the same place.
void check_apart(const neighbors::NeighborList &list);

/// The neighbours of one atom after the other, relative to it.
class CenterAtoms {
public:
  /// Both must outlive this; the list may hold no two atoms at the same place.
  CenterAtoms(const neighbors::NeighborList &list, const std::vector<int> &species)
      : list_(list), species_(species) {}

  /// Take the neighbours of atom i in the order of the list.
  void gather(std::size_t i);
  /// The atom itself, at the origin.
  const Atom &center() const { return center_; }
  const Atom *atoms() const { return atoms_.data(); }
  /// 0, 1, 2, ...
  const int *numbers() const { return numbers_.data(); }
  int size() const { return static_cast<int>(atoms_.size()); }

private:
  const neighbors::NeighborList &list_;
  const std::vector<int> &species_;
  Atom center_{};
  std::vector<Atom> atoms_;
  std::vector<int> numbers_;
};

} // namespace lpsnmr::ufp
