#include "density_system.h"

#include "density_candidates.h"
#include "error.h"

#include <string>

namespace lpsnmr {

void add_density(const DensityPotential &potential, const System &system,
                 const std::vector<int> &species, UfpResult &result, Instructions instructions) {
  if (species.size() != system.size)
    throw Error("species: expected " + std::to_string(system.size) + " entries, got " +
                std::to_string(species.size()));
  for (std::size_t i = 0; i < system.size; ++i)
    if (species[i] < 0 || species[i] >= potential.species())
      throw Error("species of atom " + std::to_string(i) + ": expected 0 .. " +
                  std::to_string(potential.species() - 1) + ", got " + std::to_string(species[i]));
  if (potential.max_cutoff() <= 0.0) return;
  const NeighborList list = build_neighbor_list(system, potential.max_cutoff());
  DensityKernel kernel(potential, instructions);
  DensityCandidateLists candidates;
  std::vector<UfpAtom> atoms; // of one centre, which sits at the origin
  std::vector<int> numbers;
  for (std::size_t i = 0; i < system.size; ++i) {
    if (!kernel.has_center(species[i])) continue;
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
    if (atoms.empty()) continue;
    candidates.clear();
    candidates.add(potential, atoms.data(), center, numbers.data(), int(numbers.size()), 0.0);
    const DensityCenter &out = kernel.evaluate(atoms.data(), center, candidates[0], true);
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

} // namespace lpsnmr
