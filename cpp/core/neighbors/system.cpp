#include "core/neighbors/system.h"

#include "core/common/error.h"

#include <string>

namespace lpsnmr::neighbors {

void check_species(const std::vector<int> &species, std::size_t atoms, int n_species) {
  if (species.size() != atoms)
    throw Error("species: expected " + std::to_string(atoms) + " entries, got " +
                std::to_string(species.size()));
  for (std::size_t i = 0; i < atoms; ++i)
    if (species[i] < 0 || species[i] >= n_species)
      throw Error("species of atom " + std::to_string(i) + ": expected 0 .. " +
                  std::to_string(n_species - 1) + ", got " + std::to_string(species[i]));
}

} // namespace lpsnmr::neighbors
