#include "core/ufp/center_atoms.h"

#include "core/common/error.h"

namespace lpsnmr::ufp {

void check_species(const std::vector<int> &species, std::size_t atoms, int n_species) {
  if (species.size() != atoms)
    throw Error("species: expected " + std::to_string(atoms) + " entries, got " +
                std::to_string(species.size()));
  for (std::size_t i = 0; i < atoms; ++i)
    if (species[i] < 0 || species[i] >= n_species)
      throw Error("species of atom " + std::to_string(i) + ": expected 0 .. " +
                  std::to_string(n_species - 1) + ", got " + std::to_string(species[i]));
}

void check_apart(const neighbors::NeighborList &list) {
  for (std::size_t i = 0; i + 1 < list.first.size(); ++i)
    for (std::size_t e = list.first[i]; e < list.first[i + 1]; ++e)
      if (list.distance[e] < 1e-10)
        throw Error("atoms " + std::to_string(i) + " and " + std::to_string(list.index[e]) +
                    " are at the same place");
}

void CenterAtoms::gather(std::size_t i) {
  center_ = {0.0, 0.0, 0.0, double(species_[i])};
  atoms_.clear();
  for (std::size_t e = list_.first[i]; e < list_.first[i + 1]; ++e) {
    const double *d = &list_.vector[3 * e];
    atoms_.push_back({d[0], d[1], d[2], double(species_[std::size_t(list_.index[e])])});
  }
  while (numbers_.size() < atoms_.size()) numbers_.push_back(static_cast<int>(numbers_.size()));
}

} // namespace lpsnmr::ufp
