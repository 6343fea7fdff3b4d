#include "core/density/system.h"

#include "core/density/candidates.h"
#include "core/neighbors/search.h"
#include "core/ufp/center_atoms.h"

namespace lpsnmr::density {

void add_terms(const Potential &potential, const neighbors::System &system,
               const std::vector<int> &species, ufp::Result &result,
               simd::Instructions instructions) {
  neighbors::check_species(species, system.size, potential.species());
  if (potential.max_cutoff() <= 0.0) return;
  const neighbors::NeighborList list =
      neighbors::build_neighbor_list(system, potential.max_cutoff());
  neighbors::check_apart(list);
  const std::vector<int> entry_species = list.species_of_entries(species);
  ufp::CenterAtoms around;
  Kernel kernel(potential, instructions);
  CandidateLists candidates;
  for (std::size_t i = 0; i < system.size; ++i) {
    if (!kernel.has_center(species[i])) continue;
    around.gather(species[i], list.around(i, entry_species.data()));
    if (around.size() == 0) continue;
    candidates.clear();
    candidates.add(potential, around.atoms(), around.center(), around.numbers(), around.size(),
                   0.0);
    const Center &out = kernel.evaluate(around.atoms(), around.center(), candidates[0], true);
    result.energy += out.energy;
    result.atom_energy[i] += out.energy;
    for (int c = 0; c < 6; ++c) result.virial[std::size_t(c)] += out.virial[c];
    for (int a = 0; a < 3; ++a) result.forces[3 * i + a] += out.force[a];
    for (int s = 0; s < potential.species(); ++s)
      for (int t = out.begin[std::size_t(s)]; t < out.end[std::size_t(s)]; ++t) {
        const std::size_t entry = list.first[i] + std::size_t(out.index[std::size_t(t)]);
        double *const f = &result.forces[3 * std::size_t(list.index[entry])];
        f[0] += out.force_x[std::size_t(t)];
        f[1] += out.force_y[std::size_t(t)];
        f[2] += out.force_z[std::size_t(t)];
      }
  }
}

} // namespace lpsnmr::density
