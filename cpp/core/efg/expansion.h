// The density around an atom, expanded in radial functions and harmonics.
#pragma once

#include "core/efg/harmonics.h"
#include "core/efg/settings.h"
#include "core/neighbors/neighbor_list.h"
#include "core/simd/instructions.h"

namespace lpsnmr::efg {

/// Length of a list of doubles in whole vectors of four.
constexpr int padded_length(int length) {
  return (length + 3) / 4 * 4;
}

/// Doubles that a row of expand_rows() takes: every species has its own whole vectors.
constexpr int density_stride(int n_species, int radial_count) {
  return n_species * padded_length(radial_count);
}

/// Expand the density around an atom: c[species][n][lm] = Σ_k R_n(r_k) Y_lm(r̂_k) over its
/// neighbours.
///
/// The entry n = 0, l = 0 is a smooth coordination number.
///
/// @param density  (n_species, radial.count, harmonic_count(l_max)), overwritten
void expand_density(const neighbors::Neighborhood &neighbors, int n_species, const Radial &radial,
                    int l_max, double *density, simd::Instructions instructions);

/// The same with one padded row of channels for each harmonic:
/// rows[lm][species · padded_length(count) + n] = Σ_k R_n(r_k) Y_lm(r̂_k).
///
/// @param rows  (harmonic_count(l_max), density_stride), overwritten; padding is zero
void expand_rows(const neighbors::Neighborhood &neighbors, int n_species, const Radial &radial,
                 int l_max, double *rows, simd::Instructions instructions);

} // namespace lpsnmr::efg
