// Density terms of a whole system: the kernel over our own neighbour list.
#pragma once

#include "density_kernel.h"
#include "ufp_system.h"

namespace lpsnmr {

/// Add energy, energies of the centres, forces and virial of the density terms to a result.
///
/// @param species (n) index into the elements of the potential
/// @param result  of evaluate_ufp() for the same system
/// @throws Error for a species out of range or two atoms on one place
void add_density(const DensityPotential &potential, const System &system,
                 const std::vector<int> &species, UfpResult &result,
                 Instructions instructions = chosen_instructions());

} // namespace lpsnmr
