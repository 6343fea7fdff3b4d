#include "core/ufp/site_features.h"

#include <cmath>

namespace lpsnmr::ufp {

SiteFeatures::SiteFeatures(const Basis &basis)
    : basis_(basis), row_(static_cast<std::size_t>(basis.columns()), 0.0),
      listed_(static_cast<std::size_t>(basis.columns()), 0) {}

void SiteFeatures::add(int column, double value) {
  const auto at = static_cast<std::size_t>(column);
  if (!listed_[at]) {
    listed_[at] = 1;
    touched_.push_back(column);
  }
  row_[at] += value;
}

void SiteFeatures::evaluate(int species, const std::vector<SiteNeighbor> &neighbors) {
  for (const int column : touched_) {
    row_[static_cast<std::size_t>(column)] = 0.0;
    listed_[static_cast<std::size_t>(column)] = 0;
  }
  touched_.clear();
  close_.clear();
  splines::BasisValues values;
  for (const SiteNeighbor &neighbor : neighbors) {
    const Basis::Pair &pair =
        basis_.pairs()[std::size_t(basis_.pair_of(species, neighbor.species))];
    if (neighbor.distance < pair.grid.high()) {
      pair.grid.evaluate(neighbor.distance, values);
      for (int k = 0; k < 4 && values.offset + k < pair.columns; ++k)
        add(pair.first_column + values.offset + k, values.value[k]);
    }
    if (neighbor.distance < basis_.three_body_cutoff(species, neighbor.species))
      close_.push_back(neighbor);
  }
  add_triplets(species);
}

void SiteFeatures::add_triplets(int species) {
  for (std::size_t x = 0; x < close_.size(); ++x)
    for (std::size_t y = x + 1; y < close_.size(); ++y) {
      bool swapped = false;
      const int which = basis_.triple_of(species, close_[x].species, close_[y].species, swapped);
      if (which < 0) continue;
      const Basis::Triple &triple = basis_.triples()[std::size_t(which)];
      const SiteNeighbor &j = swapped ? close_[y] : close_[x];
      const SiteNeighbor &k = swapped ? close_[x] : close_[y];
      if (j.distance >= triple.grid_ij.high() || k.distance >= triple.grid_ik.high()) continue;
      double r2 = 0;
      for (std::size_t a = 0; a < 3; ++a) {
        const double d = k.vector[a] - j.vector[a];
        r2 += d * d;
      }
      const double r = std::sqrt(r2);
      if (r < triple.grid_jk.high()) add_triplet(triple, j, k, r);
    }
}

void SiteFeatures::add_triplet(const Basis::Triple &triple, const SiteNeighbor &j,
                               const SiteNeighbor &k, double r_jk) {
  splines::BasisValues ij, ik, jk;
  triple.grid_ij.evaluate(j.distance, ij);
  triple.grid_ik.evaluate(k.distance, ik);
  triple.grid_jk.evaluate(r_jk, jk);
  const auto n_ik = static_cast<std::size_t>(triple.grid_ik.functions());
  const auto n_jk = static_cast<std::size_t>(triple.grid_jk.functions());
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 4; ++b) {
      const int *const map =
          triple.column.data() +
          (std::size_t(ij.offset + a) * n_ik + std::size_t(ik.offset + b)) * n_jk +
          std::size_t(jk.offset);
      const double both = ij.value[a] * ik.value[b];
      for (int c = 0; c < 4; ++c)
        if (map[c] >= 0) add(map[c], both * jk.value[c]);
    }
}

} // namespace lpsnmr::ufp
