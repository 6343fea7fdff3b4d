// The neighbourhoods of a whole system as the kernels take them, for evaluation without LAMMPS.
#pragma once

#include "core/neighbors/neighbor_list.h"
#include "core/ufp/kernel.h"

#include <vector>

namespace lpsnmr::ufp {

/// The neighbours of one atom after the other, relative to it.
class CenterAtoms {
public:
  /// Take the neighbours of an atom of a species, in their order; their species must be given.
  void gather(int species, const neighbors::Neighborhood &neighbors);
  /// The atom itself, at the origin.
  const Atom &center() const { return center_; }
  const Atom *atoms() const { return atoms_.data(); }
  /// 0, 1, 2, ...
  const int *numbers() const { return numbers_.data(); }
  int size() const { return static_cast<int>(atoms_.size()); }

private:
  Atom center_{};
  std::vector<Atom> atoms_;
  std::vector<int> numbers_;
};

} // namespace lpsnmr::ufp
