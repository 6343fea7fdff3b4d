// Density terms of a whole system: the kernel over our own neighbour list.
#pragma once

#include "core/density/kernel.h"
#include "core/ufp/system.h"

namespace lpsnmr::density {

/// Add energy, energies of the centres, forces and virial of the density terms to a result.
///
/// @param species (n) index into the elements of the potential
/// @param result  of ufp::evaluate_system() for the same system
/// @throws Error for a species out of range or two atoms on one place
void add_terms(const Potential &potential, const neighbors::System &system,
               const std::vector<int> &species, ufp::Result &result,
               simd::Instructions instructions = simd::chosen_instructions());

} // namespace lpsnmr::density
