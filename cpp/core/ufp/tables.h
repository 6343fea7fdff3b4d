// A Potential laid out for the inner loops: what one centre needs lies together, padded and
// aligned.
#pragma once

#include "core/common/aligned.h"
#include "core/splines/knot_refinement.h"
#include "core/ufp/potential.h"

#include <vector>

namespace lpsnmr::ufp {

/// One knot vector. Entry 0 of a table is the continuation below the first knot, entry s + 1 is
/// span s.
///
/// The entry of r is found without a search: lookup[(r - low) * cells_per_length + 1], then at most
/// `steps` times one further where r has passed the next knot. On uniform knots a cell is an entry.
struct KnotLookup {
  KnotLookup() = default;
  explicit KnotLookup(const splines::KnotGrid &grid);

  bool uniform = false;
  double low = 0, cells_per_length = 0, last_cell = 0;
  double width = 0;           ///< of a span, uniform knots only
  int steps = 0;              ///< 0 on uniform knots
  std::vector<int> lookup;    ///< (cells + 1)
  std::vector<double> origin; ///< (entries) left end; the first knot for the continuation
  std::vector<double> next;   ///< (entries) where the following entry begins
  std::vector<int> offset;    ///< (entries) first of the four non-zero functions

  /// Entry of one distance.
  int find(double r) const {
    double cell = (r - low) * cells_per_length + 1.0;
    cell = cell < last_cell ? cell : last_cell;
    const int c = cell > 0.0 ? static_cast<int>(cell) : 0;
    if (uniform) return c;
    int entry = lookup[std::size_t(c)];
    for (int step = 0; step < steps; ++step) entry += r >= next[std::size_t(entry)];
    return entry;
  }
};

/// V2 between one species and every other, as cubics (entries, power) of r - origin.
struct PairRow {
  /// All partners have the same uniform knots: an entry is found without looking at the species.
  bool common = false;
  bool uniform = false;          ///< every partner has uniform knots, not the same ones
  std::vector<KnotLookup> spans; ///< (species)
  AlignedVector<double> cubic;   ///< partners one after another
  AlignedVector<double> start;   ///< (species) first entry of a partner in cubic
  AlignedVector<double> cutoff;  ///< (species) of V2
  AlignedVector<double> low, cells_per_length, last_cell, width; ///< (species) as in KnotLookup
  double reach = 0;           ///< of any term with any partner, as centre
  bool few = false;           ///< at most eight species; near can be read up to eight
  AlignedVector<double> near; ///< (species) three-body cutoff, 0 without
};

/// V3 of a centre with neighbours j, k of species b, c in this order.
///
/// A cell is one entry of each of the three knot vectors; on it V3 is a cubic polynomial of each
/// distance. Cell (ij, ik, jk) has the number first_cell + ij * stride_ij + ik * stride_ik + jk.
struct TripletLayout {
  bool present = false; ///< false when it has no non-zero coefficient
  int grid_ij = 0, grid_ik = 0, grid_jk = 0;
  double cutoff_ij = 0, cutoff_ik = 0, cutoff_jk = 0;
  int first_cell = 0;
  splines::CoefficientBlock coefficients = {};
};

/// All triplets of one centre species.
struct CenterTables {
  /// All r_jk lie on uniform knots with one first knot and one spacing, and so do all r_ij and
  /// r_ik: entries are found without looking at the table.
  bool common = false;
  KnotLookup radial, jk;             ///< the longest of these knots, when common
  int stride_ij = 0, stride_ik = 0;  ///< of the cells, the same for every table
  int cells = 0;                     ///< of all tables
  std::vector<TripletLayout> tables; ///< (species, species)
};

class Tables {
public:
  explicit Tables(const Potential &potential);

  int species() const { return species_; }
  int grids() const { return static_cast<int>(grids_.size()); }
  const KnotLookup &grid(int g) const { return grids_[std::size_t(g)]; }
  const PairRow &pairs(int a) const { return pairs_[std::size_t(a)]; }
  const CenterTables &center(int a) const { return centers_[std::size_t(a)]; }
  /// Table of centre a with j of species b and k of species c; any order.
  const TripletLayout &triplet(int a, int b, int c) const {
    return centers_[std::size_t(a)].tables[std::size_t(b) * species_ + c];
  }
  /// Grids on which the distance of a neighbour b from a centre a lies.
  const std::vector<int> &grids_needed(int a, int b) const {
    return grids_needed_[std::size_t(a) * species_ + b];
  }
  /// V3 on one cell of centre a: coefficients [ij][ik][jk] of the powers 0 to 3 of the distances
  /// from where the entries begin; false where all are zero.
  bool polynomial(int a, int cell, double *out) const;

private:
  void add_pairs(const Potential &potential, int a);
  void add_center(const Potential &potential, int a);
  void add_triplet(const Potential &potential, int a, int b, int c);
  void find_common(int a);

  int species_ = 0;
  std::vector<splines::KnotGrid> knots_; // of the potential, on uniform knots where these exist
  std::vector<KnotLookup> grids_;
  std::vector<PairRow> pairs_;
  std::vector<CenterTables> centers_;
  std::vector<std::vector<int>> grids_needed_;
};

} // namespace lpsnmr::ufp
