#include "ufp_system.h"

#include "error.h"

#include <string>

namespace lpsnmr {

UfpResult evaluate_ufp(const UfpPotential &potential, const System &system,
                       const std::vector<int> &species) {
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
  UfpKernel kernel(potential);
  for (std::size_t i = 0; i < system.size; ++i) {
    kernel.begin(species[i]);
    for (std::size_t e = list.first[i]; e < list.first[i + 1]; ++e) {
      const int j = list.index[e];
      const double *d = &list.vector[3 * e], r = list.distance[e];
      if (r < 1e-10)
        throw Error("atoms " + std::to_string(i) + " and " + std::to_string(j) +
                    " are at the same place");
      if (r < potential.cutoff(species[i], species[j]))
        kernel.add(j, species[j], d[0], d[1], d[2], r * r);
    }
    double *force = &out.forces[3 * i];
    double energy = kernel.two_body(force, out.virial.data());
    energy += kernel.three_body(force, out.virial.data(), nullptr);
    const auto &neighbors = kernel.triplet_neighbors();
    for (std::size_t x = 0; x < neighbors.size(); ++x)
      for (int a = 0; a < 3; ++a)
        out.forces[3 * std::size_t(neighbors[x].index) + a] += kernel.triplet_forces()[4 * x + a];
    out.atom_energy[i] = energy;
    out.energy += energy;
    out.short_range_pairs += kernel.short_range_pairs();
  }
  return out;
}

} // namespace lpsnmr
