#include "ufp_candidates.h"

namespace lpsnmr {

void UfpCandidateLists::clear() {
  index_.clear();
  bounds_.clear();
}

void UfpCandidateLists::add(const UfpPotential &potential, const UfpAtom *atoms,
                            const UfpAtom &center, const int *neighbors, int count, double skin) {
  const std::size_t species = std::size_t(potential.species());
  groups_.resize(species + 1);
  for (std::vector<int> &group : groups_) group.clear();
  const int a = static_cast<int>(center.species);
  for (int n = 0; n < count; ++n) {
    const UfpAtom &atom = atoms[neighbors[n]];
    const double dx = atom.x - center.x, dy = atom.y - center.y, dz = atom.z - center.z;
    const double r2 = dx * dx + dy * dy + dz * dz;
    const int b = static_cast<int>(atom.species);
    const double cutoff = potential.three_body() ? potential.three_body_cutoff(a, b) : 0.0;
    // written so that a distance that is not a number stays in
    const bool far = cutoff == 0.0 || r2 >= (cutoff + skin) * (cutoff + skin);
    groups_[far ? species : std::size_t(b)].push_back(neighbors[n]);
  }
  Bounds bounds{index_.size(), 0, count};
  for (std::size_t s = 0; s <= species; ++s) {
    index_.insert(index_.end(), groups_[s].begin(), groups_[s].end());
    if (s < species) bounds.near += static_cast<int>(groups_[s].size());
  }
  while ((index_.size() - bounds.begin) % 8 != 0) index_.push_back(index_.back());
  bounds_.push_back(bounds);
}

double UfpCandidateLists::memory_usage() const {
  return double(index_.capacity()) * sizeof(int) + double(bounds_.capacity()) * sizeof(Bounds);
}

} // namespace lpsnmr
