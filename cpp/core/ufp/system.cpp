#include "core/ufp/system.h"

#include "core/common/error.h"
#include "core/neighbors/search.h"
#include "core/ufp/candidates.h"
#include "core/ufp/center_atoms.h"

#include <string>

namespace lpsnmr::ufp {

Result evaluate_system(const Potential &potential, const neighbors::System &system,
                       const std::vector<int> &species, simd::Instructions instructions) {
  neighbors::check_species(species, system.size, potential.species());
  const neighbors::NeighborList list =
      neighbors::build_neighbor_list(system, potential.max_cutoff());
  neighbors::check_apart(list);
  const std::vector<int> entry_species = list.species_of_entries(species);
  CenterAtoms around;
  Result out;
  out.atom_energy.assign(system.size, 0.0);
  out.forces.assign(3 * system.size, 0.0);
  Kernel kernel(potential, instructions);
  CandidateLists candidates;
  std::vector<double> forces; // (neighbours, 4)
  Needs needs;
  needs.virial = true;
  for (std::size_t i = 0; i < system.size; ++i) {
    around.gather(species[i], list.around(i, entry_species.data()));
    candidates.clear();
    candidates.add(potential, around.atoms(), around.center(), around.numbers(), nullptr,
                   around.size(), 0.0);
    forces.assign(4 * std::size_t(around.size()), 0.0);
    const Center &result =
        kernel.evaluate(around.atoms(), around.center(), candidates[0], needs, forces.data());
    if (!result.valid)
      throw Error("atom " + std::to_string(i) + ": the position of a neighbor is not a number");
    for (int a = 0; a < 3; ++a) out.forces[3 * i + a] += result.force[a];
    for (std::size_t t = 0; t < std::size_t(around.size()); ++t) {
      const std::size_t j = std::size_t(list.index[list.first[i] + t]);
      for (std::size_t a = 0; a < 3; ++a) out.forces[3 * j + a] += forces[4 * t + a];
    }
    for (int c = 0; c < 6; ++c) out.virial[c] += result.pair_virial[c] + result.triplet_virial[c];
    out.atom_energy[i] = result.pair_energy + result.triplet_energy;
    out.energy += out.atom_energy[i];
    out.short_range_pairs += static_cast<int>(result.short_range_pairs);
    out.triplets += result.triplet_count;
  }
  return out;
}

} // namespace lpsnmr::ufp
