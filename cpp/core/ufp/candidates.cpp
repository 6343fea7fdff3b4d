#include "core/ufp/candidates.h"

namespace lpsnmr::ufp {

void CandidateLists::clear() {
  index_.clear();
  weight_.clear();
  bounds_.clear();
}

void CandidateLists::add(const Potential &potential, const Atom *atoms, const Atom &center,
                         const int *neighbors, const char *here, int count, double skin) {
  const std::size_t species = std::size_t(potential.species());
  groups_.resize(species + 1);
  for (std::vector<Member> &group : groups_) group.clear();
  const int a = static_cast<int>(center.species);
  for (int n = 0; n < count; ++n) {
    const Atom &atom = atoms[neighbors[n]];
    const double dx = atom.x - center.x, dy = atom.y - center.y, dz = atom.z - center.z;
    const double r2 = dx * dx + dy * dy + dz * dz;
    const int b = static_cast<int>(atom.species);
    const double cutoff = potential.three_body() ? potential.three_body_cutoff(a, b) : 0.0;
    // written so that a distance that is not a number stays in
    const bool far = cutoff == 0.0 || r2 >= (cutoff + skin) * (cutoff + skin);
    const double weight = !here ? 1.0 : here[n] ? 2.0 : 0.0;
    if (far && weight == 0.0) continue;
    groups_[far ? species : std::size_t(b)].push_back({neighbors[n], weight});
  }
  Bounds bounds{index_.size(), weight_.size(), here ? 2.0 : 1.0, 0, 0};
  for (std::size_t s = 0; s <= species; ++s) {
    for (const Member &member : groups_[s]) {
      index_.push_back(member.index);
      if (s < species) weight_.push_back(member.weight);
    }
    bounds.total += static_cast<int>(groups_[s].size());
    if (s < species) bounds.near = bounds.total;
  }
  index_.insert(index_.end(), 8, bounds.total > 0 ? index_.back() : 0);
  weight_.insert(weight_.end(), 8, 0.0);
  bounds_.push_back(bounds);
}

double CandidateLists::memory_usage() const {
  return double(index_.capacity()) * sizeof(int) + double(bounds_.capacity()) * sizeof(Bounds) +
         double(weight_.capacity()) * sizeof(double);
}

} // namespace lpsnmr::ufp
