#include "ufp_system.h"

#include "error.h"
#include "ufp_candidates.h"

#include <string>

namespace lpsnmr {

UfpResult evaluate_ufp(const UfpPotential &potential, const System &system,
                       const std::vector<int> &species, Instructions instructions) {
  if (species.size() != system.size)
    throw Error("species: expected " + std::to_string(system.size) + " entries, got " +
                std::to_string(species.size()));
  for (std::size_t i = 0; i < system.size; ++i)
    if (species[i] < 0 || species[i] >= potential.species())
      throw Error("species of atom " + std::to_string(i) + ": expected 0 .. " +
                  std::to_string(potential.species() - 1) + ", got " + std::to_string(species[i]));
  const NeighborList list = build_neighbor_list(system, potential.max_cutoff());
  UfpResult out;
  out.atom_energy.assign(system.size, 0.0);
  out.forces.assign(3 * system.size, 0.0);
  UfpKernel kernel(potential, instructions);
  UfpCandidateLists candidates;
  std::vector<UfpAtom> atoms; // of one centre, which sits at the origin
  std::vector<int> numbers;
  std::vector<double> forces; // (atoms, 4)
  UfpNeeds needs;
  needs.virial = true;
  for (std::size_t i = 0; i < system.size; ++i) {
    const UfpAtom center{0.0, 0.0, 0.0, double(species[i])};
    atoms.clear();
    numbers.clear();
    for (std::size_t e = list.first[i]; e < list.first[i + 1]; ++e) {
      const double *d = &list.vector[3 * e];
      if (list.distance[e] < 1e-10)
        throw Error("atoms " + std::to_string(i) + " and " + std::to_string(list.index[e]) +
                    " are at the same place");
      numbers.push_back(static_cast<int>(atoms.size()));
      atoms.push_back({d[0], d[1], d[2], double(species[std::size_t(list.index[e])])});
    }
    candidates.clear();
    candidates.add(potential, atoms.data(), center, numbers.data(), nullptr, int(numbers.size()),
                   0.0);
    forces.assign(4 * atoms.size(), 0.0);
    const UfpCenter &result =
        kernel.evaluate(atoms.data(), center, candidates[0], needs, forces.data());
    if (!result.valid)
      throw Error("atom " + std::to_string(i) + ": the position of a neighbor is not a number");
    for (int a = 0; a < 3; ++a) out.forces[3 * i + a] += result.force[a];
    for (std::size_t t = 0; t < atoms.size(); ++t) {
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

} // namespace lpsnmr
