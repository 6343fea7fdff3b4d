// What a compute must ask of LAMMPS' neighbour lists so that no neighbour of its model is missing.
#pragma once

#include <string>

namespace LAMMPS_NS {

/// Refuse units other than Å and settings under which the neighbour list would miss pairs.
///
/// @param who such as "Compute efg/atom"; stands before every message
void check_visible_neighbors(class LAMMPS *lmp, const std::string &who);

/// Ask for a perpetual full list; a copy of the pair style's where that suffices.
///
/// A perpetual list is made from the positions at which atoms were last handed over, so no
/// neighbour is missed until the next time.
///
/// @param cutoff of the model, Å, where the pair style's own list does not reach; 0 where it does
void request_full_list(class LAMMPS *lmp, class Compute *compute, const std::string &who,
                       double cutoff);

} // namespace LAMMPS_NS
