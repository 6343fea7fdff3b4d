// Energy, forces and virial of a whole system: the kernel over our own neighbour list.
#pragma once

#include "core/neighbors/system.h"
#include "core/ufp/kernel.h"

#include <array>
#include <vector>

namespace lpsnmr::ufp {

struct Result {
  double energy = 0;               ///< eV
  std::vector<double> atom_energy; ///< (n) eV: V2 to the centre, V3 to the centre
  std::vector<double> forces;      ///< (n, 3) eV/Å
  std::array<double, 6> virial{};  ///< xx yy zz xy xz yz, eV; stress = -virial / volume
  long short_range_pairs = 0;      ///< ordered pairs below the first knot
  long triplets = 0;               ///< three-body terms within their cutoffs
};

/// Evaluate the potential.
///
/// @param species (n) index into Potential::elements()
/// @throws Error for a species out of range or two atoms on one place
Result evaluate_system(const Potential &potential, const neighbors::System &system,
                       const std::vector<int> &species,
                       simd::Instructions instructions = simd::chosen_instructions());

} // namespace lpsnmr::ufp
