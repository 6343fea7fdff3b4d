// The UFP as a linear model: rows of energy, virial and forces by columns of coefficients.
#pragma once

#include "core/neighbors/system.h"
#include "core/splines/knot_grid.h"

#include <array>
#include <cstddef>
#include <vector>

namespace lpsnmr::ufp {

/// Knots of V2 for one unordered pair of species.
struct PairKnots {
  std::array<int, 2> species;
  std::vector<double> knots; ///< Å; the last one is the cutoff
};

/// Knots of V3 for a centre and an unordered pair of neighbours (j, k).
struct TripletKnots {
  std::array<int, 3> species;                       ///< centre, j, k
  std::vector<double> knots_ij, knots_ik, knots_jk; ///< Å; the last ones are the cutoffs
};

/// Which coefficient of which block is which column.
///
/// The last three coefficients along every axis are no columns but zero, so that V, V' and V''
/// vanish at the cutoff. Like neighbours share columns: V3(j, k) = V3(k, j). Coefficients are those
/// of the .uf3 file: E = sum over centres of [sum_j V2(r_ij) + sum_{j<k} V3(r_ij, r_ik, r_jk)].
class Basis {
public:
  static constexpr int trailing_zeros = 3;

  /// Triples that are not given have no V3.
  ///
  /// @throws Error for a pair that is missing, a pair or triple given twice or out of range, knots
  ///         that are no knots, and like neighbours with unlike knots
  Basis(int species, const std::vector<PairKnots> &pairs, const std::vector<TripletKnots> &triples);

  struct Pair {
    splines::KnotGrid grid;
    int first_column, columns;
  };
  struct Triple {
    std::array<int, 3> species;
    splines::KnotGrid grid_ij, grid_ik, grid_jk;
    std::vector<int> column; ///< [ij][ik][jk], -1 where the coefficient is zero
  };

  int species() const { return species_; }
  int columns() const { return columns_; }
  double cutoff() const { return cutoff_; }
  bool three_body() const { return !triples_.empty(); }
  const std::vector<Pair> &pairs() const { return pairs_; }
  const std::vector<Triple> &triples() const { return triples_; }
  int pair_of(int a, int b) const { return pair_of_[std::size_t(a) * species_ + b]; }
  /// Block of centre a and neighbours b, c (-1: none), and whether (b, c) is the block's (k, j).
  int triple_of(int a, int b, int c, bool &swapped) const;
  /// Largest r_ij of the triples of centre a with a neighbour b.
  double three_body_cutoff(int a, int b) const { return reach_[std::size_t(a) * species_ + b]; }

private:
  void add_pair(const PairKnots &layout);
  void add_triple(const TripletKnots &layout);

  int species_, columns_ = 0;
  double cutoff_ = 0;
  std::vector<Pair> pairs_;
  std::vector<Triple> triples_;
  std::vector<int> pair_of_, triple_of_;
  std::vector<double> reach_;
};

/// Rows of one frame: 0 energy (eV), 1-6 virial xx yy zz xy xz yz (eV), 7 + 3 i + a force (eV/Å).
inline std::size_t feature_rows(std::size_t atoms) {
  return 7 + 3 * atoms;
}

/// Derivatives of the rows with respect to the coefficients.
///
/// @param species (n) species of the atoms
/// @param out     (columns, rows) row-major, overwritten; owned by the caller
/// @throws Error  for a species out of range, or a pair closer than the first knot of its V2, where
///                the potential is not linear in its coefficients
void evaluate_features(const Basis &basis, const neighbors::System &system,
                       const std::vector<int> &species, double *out);

} // namespace lpsnmr::ufp
