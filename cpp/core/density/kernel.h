// Density terms of one centre: energy, forces on the neighbours, virial.
#pragma once

#include "core/density/potential.h"
#include "core/ufp/kernel.h"

#include <vector>

namespace lpsnmr::density {

/// Atoms that may be seen by one centre, sorted by species.
struct Candidates {
  const int *index; ///< readable up to seven entries further, where any valid index may stand
  const int *first; ///< (species + 1) bounds of the species
};

/// Work space and results of one centre.
struct Center {
  double energy;    ///< eV
  double force[3];  ///< on the centre, eV/Å
  double virial[6]; ///< xx yy zz xy xz yz, eV

  // neighbours within reach; those of species b are begin[b] .. end[b], and begin[b] is a multiple
  // of eight
  std::vector<int> begin, end;                     ///< (species)
  std::vector<int> index;                          ///< as in Candidates
  AlignedVector<double> force_x, force_y, force_z; ///< on the neighbour, eV/Å
  AlignedVector<double> x, y, z;                   ///< from the centre, Å

  // work space
  AlignedVector<double> squared; ///< of the distances, Å²
  AlignedVector<double> distance, inverse, unit_x, unit_y, unit_z;
  AlignedVector<double> value, slope;      ///< (function, room) of the radial functions
  AlignedVector<double> moments, adjoints; ///< (l, component, function padded)
  AlignedVector<double> products, weights; ///< (product)
  AlignedVector<double> square;            ///< (function, function padded)
  std::size_t room = 0;                    ///< neighbours there is room for, a multiple of eight
};

/// Evaluates one centre at a time; holds the work space, so use one per thread.
class Kernel {
public:
  explicit Kernel(const Potential &potential,
                  simd::Instructions instructions = simd::chosen_instructions());

  /// Whether there are terms around atoms of a species.
  bool has_center(int species) const { return !potential_.blocks(species).empty(); }

  /// Evaluate the terms around `center`; the result holds until the next call.
  const Center &evaluate(const ufp::Atom *atoms, const ufp::Atom &center,
                         const Candidates &candidates, bool virial_wanted);

  const Potential &potential() const { return potential_; }
  double memory_usage() const;

  struct Input {
    const Potential *potential;
    const ufp::Atom *atoms;
    const ufp::Atom *center;
    const Candidates *candidates;
    bool virial_wanted;
  };
  using Function = void (*)(const Input &, Center &);

private:
  void make_room(std::size_t neighbors);

  Potential potential_;
  Function function_;
  Center center_;
  std::size_t most_functions_ = 0;
};

} // namespace lpsnmr::density
