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

void SiteFeatures::evaluate(int species, const neighbors::Neighborhood &neighbors) {
  for (const int column : touched_) {
    row_[static_cast<std::size_t>(column)] = 0.0;
    listed_[static_cast<std::size_t>(column)] = 0;
  }
  touched_.clear();
  close_.clear();
  splines::BasisValues values;
  for (std::size_t e = 0; e < neighbors.size; ++e) {
    const double r = neighbors.distance[e];
    const Basis::Pair &pair =
        basis_.pairs()[std::size_t(basis_.pair_of(species, neighbors.species[e]))];
    if (r < pair.grid.high()) {
      pair.grid.evaluate(r, values);
      for (int k = 0; k < 4 && values.offset + k < pair.columns; ++k)
        add(pair.first_column + values.offset + k, values.value[k]);
    }
    if (r < basis_.three_body_cutoff(species, neighbors.species[e])) close_.push_back(e);
  }
  add_triplets(species, neighbors);
}

void SiteFeatures::add_triplets(int species, const neighbors::Neighborhood &neighbors) {
  for (std::size_t x = 0; x < close_.size(); ++x)
    for (std::size_t y = x + 1; y < close_.size(); ++y) {
      bool swapped = false;
      const int which = basis_.triple_of(species, neighbors.species[close_[x]],
                                         neighbors.species[close_[y]], swapped);
      if (which < 0) continue;
      const Basis::Triple &triple = basis_.triples()[std::size_t(which)];
      const std::size_t j = close_[swapped ? y : x], k = close_[swapped ? x : y];
      const double r_ij = neighbors.distance[j], r_ik = neighbors.distance[k];
      if (r_ij >= triple.grid_ij.high() || r_ik >= triple.grid_ik.high()) continue;
      double r2 = 0;
      for (std::size_t a = 0; a < 3; ++a) {
        const double d = neighbors.vector[3 * k + a] - neighbors.vector[3 * j + a];
        r2 += d * d;
      }
      const double r_jk = std::sqrt(r2);
      if (r_jk < triple.grid_jk.high()) add_triplet(triple, r_ij, r_ik, r_jk);
    }
}

void SiteFeatures::add_triplet(const Basis::Triple &triple, double r_ij, double r_ik, double r_jk) {
  splines::BasisValues ij, ik, jk;
  triple.grid_ij.evaluate(r_ij, ij);
  triple.grid_ik.evaluate(r_ik, ik);
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
