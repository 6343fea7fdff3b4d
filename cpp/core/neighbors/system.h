// Atoms in a cell.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace lpsnmr::neighbors {

/// Atoms in a cell. The pointed-to arrays belong to the caller and are only read.
struct System {
  const double *positions = nullptr; ///< (n, 3) row-major, Å; need not be wrapped
  std::size_t size = 0;
  std::array<double, 9> cell{}; ///< rows are the cell vectors, Å; ignored along open axes
  std::array<bool, 3> periodic{true, true, true};
};

/// Refuse species that are not one per atom, or not within 0 .. n_species - 1.
void check_species(const std::vector<int> &species, std::size_t atoms, int n_species);

} // namespace lpsnmr::neighbors
