#include "core/density/candidates.h"

namespace lpsnmr::density {

void CandidateLists::clear() {
  index_.clear();
  start_.clear();
  first_.clear();
}

void CandidateLists::add(const Potential &potential, const ufp::Atom *atoms,
                         const ufp::Atom &center, const int *neighbors, int count, double skin) {
  const std::size_t species = std::size_t(potential.species());
  stride_ = species + 1;
  groups_.resize(species);
  for (std::vector<int> &group : groups_) group.clear();
  const int a = static_cast<int>(center.species);
  for (int n = 0; n < count; ++n) {
    const ufp::Atom &atom = atoms[neighbors[n]];
    const int b = static_cast<int>(atom.species);
    const double reach = potential.reach(a, b);
    if (reach == 0.0) continue;
    const double dx = atom.x - center.x, dy = atom.y - center.y, dz = atom.z - center.z;
    // written so that a distance that is not a number stays in
    if (dx * dx + dy * dy + dz * dz >= (reach + skin) * (reach + skin)) continue;
    groups_[std::size_t(b)].push_back(neighbors[n]);
  }
  start_.push_back(index_.size());
  int found = 0;
  first_.push_back(0);
  for (const std::vector<int> &group : groups_) {
    index_.insert(index_.end(), group.begin(), group.end());
    found += static_cast<int>(group.size());
    first_.push_back(found);
  }
  // a whole vector may be read from any entry
  if (found > 0) index_.insert(index_.end(), 7, index_.back());
}

double CandidateLists::memory_usage() const {
  return double(index_.capacity() + first_.capacity()) * sizeof(int) +
         double(start_.capacity()) * sizeof(std::size_t);
}

} // namespace lpsnmr::density
