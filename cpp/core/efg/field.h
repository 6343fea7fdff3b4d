// The field at bridges of the charges and dipoles around them, farther than any density reaches.
#pragma once

#include "core/efg/basis.h"
#include "core/neighbors/neighbor_list.h"
#include "core/simd/instructions.h"

#include <vector>

namespace lpsnmr::efg {

/// Sums fields of sources whose charges and dipoles are weighted channels. Immutable.
///
/// Each row of weights makes one field. A source k has the charge w · (one for its species, the
/// l = 0 entries of its density) and the dipole w · (the l = 1 entries of its density); its field
/// at the place j, d = r_k − r_j from there, is q g d + (μ · ∇) g d, with g(d) = (1 − d²/r_c²)³ /
/// (d² + a²)^(3/2) and a = 1 Å. With the identity for weights the fields are those of the channels.
class Field {
public:
  /// @param weights  (rows, basis.field_channels()) row-major
  Field(const Basis &basis, int rows, const double *weights, simd::Instructions instructions);

  int rows() const { return rows_; }
  /// Numbers of one source: (4, rows padded to whole vectors): charges, dipoles along y, z, x.
  std::size_t source_size() const { return 4 * stride_; }

  /// Weigh the charge and the dipole of one source.
  ///
  /// @param species    of the source
  /// @param neighbors  all within settings.source.cutoff, farther ones count nothing; not read for
  ///                   species that have no density
  /// @param source     (source_size()), overwritten
  void describe_source(int species, const neighbors::Neighborhood &neighbors, double *source) const;

  /// Whether the sources of a species depend on their neighbours.
  bool has_density(int species) const { return !weights_[species].density.empty(); }

  /// Sum the fields at one place.
  ///
  /// @param neighbors  within settings.field_cutoff; `slot` picks the source
  /// @param sources    (slots, source_size())
  /// @param first      first row to sum, a multiple of 4; `count` of them
  /// @param field      (count, 3), overwritten: m = −1, 0, 1 (y, z, x)
  void sum(const neighbors::Neighborhood &neighbors, const double *sources, int first, int count,
           double *field) const;

private:
  struct SpeciesWeights {
    std::vector<double> constant; // (stride)
    std::vector<double> density;  // (2, channels, stride): charges, dipoles; empty without density
  };
  using Weigh = void (*)(const neighbors::Neighborhood &, int, const Radial &, const double *,
                         std::size_t, double *, double *);
  using Sum = void (*)(const neighbors::Neighborhood &, const double *, std::size_t, double, int,
                       int, double *);
  Weigh weigh_;
  Sum sum_;
  Radial source_;
  double cutoff_ = 0.0;
  int n_species_ = 0, rows_ = 0;
  std::size_t stride_ = 0;
  std::vector<SpeciesWeights> weights_; // by species
};

} // namespace lpsnmr::efg
