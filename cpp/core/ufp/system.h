// Energy, forces and virial of a whole system: the kernel over our own neighbour list.
#pragma once

#include "neighbor_list.h"
#include "ufp_kernel.h"

#include <array>
#include <vector>

namespace lpsnmr {

struct UfpResult {
  double energy = 0;               ///< eV
  std::vector<double> atom_energy; ///< (n) eV: V2 to the centre, V3 to the centre
  std::vector<double> forces;      ///< (n, 3) eV/Å
  std::array<double, 6> virial{};  ///< xx yy zz xy xz yz, eV; stress = -virial / volume
  long short_range_pairs = 0;      ///< ordered pairs below the first knot
  long triplets = 0;               ///< three-body terms within their cutoffs
};

/// Evaluate the potential.
///
/// @param species (n) index into UfpPotential::elements()
/// @throws Error for a species out of range or two atoms on one place
UfpResult evaluate_ufp(const UfpPotential &potential, const System &system,
                       const std::vector<int> &species,
                       Instructions instructions = chosen_instructions());

} // namespace lpsnmr
