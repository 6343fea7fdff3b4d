// Density terms of one centre: energy, forces on the neighbours, virial.
#pragma once

#include "density_potential.h"
#include "ufp_kernel.h"

#include <vector>

namespace lpsnmr {

/// Atoms that may be seen by one centre, sorted by species.
struct DensityCandidates {
  const int *index; ///< readable up to seven entries further, where any valid index may stand
  const int *first; ///< (species + 1) bounds of the species
};

/// Work space and results of one centre.
struct DensityCenter {
  double energy;    ///< eV
  double force[3];  ///< on the centre, eV/Å
  double virial[6]; ///< xx yy zz xy xz yz, eV

  // neighbours within reach; those of species b are begin[b] .. end[b], and begin[b] is a multiple
  // of eight
  std::vector<int> begin, end;                     ///< (species)
  std::vector<int> index;                          ///< as in DensityCandidates
  AlignedVector<double> force_x, force_y, force_z; ///< on the neighbour, eV/Å
  AlignedVector<double> x, y, z;                   ///< from the centre, Å

  // work space
  AlignedVector<double> distance, inverse, unit_x, unit_y, unit_z;
  AlignedVector<double> value, slope;      ///< (function, room) of the radial functions
  AlignedVector<double> moments, adjoints; ///< (l, component, function padded)
  AlignedVector<double> products, weights; ///< (product)
  AlignedVector<double> square;            ///< (function, function padded)
  std::size_t room = 0;                    ///< neighbours there is room for, a multiple of eight
};

/// Evaluates one centre at a time; holds the work space, so use one per thread.
class DensityKernel {
public:
  explicit DensityKernel(const DensityPotential &potential,
                         Instructions instructions = chosen_instructions());

  /// Whether there are terms around atoms of a species.
  bool has_center(int species) const { return !potential_.blocks(species).empty(); }

  /// Evaluate the terms around `center`; the result holds until the next call.
  const DensityCenter &evaluate(const UfpAtom *atoms, const UfpAtom &center,
                                const DensityCandidates &candidates, bool virial_wanted);

  const DensityPotential &potential() const { return potential_; }
  double memory_usage() const;

  struct Input {
    const DensityPotential *potential;
    const UfpAtom *atoms;
    const UfpAtom *center;
    const DensityCandidates *candidates;
    bool virial_wanted;
  };
  using Function = void (*)(const Input &, DensityCenter &);

private:
  void make_room(std::size_t neighbors);

  DensityPotential potential_;
  Function function_;
  DensityCenter center_;
  std::size_t most_functions_ = 0;
};

} // namespace lpsnmr
