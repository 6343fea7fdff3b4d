#include "core/ufp/center_atoms.h"

namespace lpsnmr::ufp {

void CenterAtoms::gather(int species, const neighbors::Neighborhood &neighbors) {
  center_ = {0.0, 0.0, 0.0, double(species)};
  atoms_.clear();
  for (std::size_t e = 0; e < neighbors.size; ++e) {
    const double *const d = neighbors.vector + 3 * e;
    atoms_.push_back({d[0], d[1], d[2], double(neighbors.species[e])});
  }
  while (numbers_.size() < atoms_.size()) numbers_.push_back(static_cast<int>(numbers_.size()));
}

} // namespace lpsnmr::ufp
