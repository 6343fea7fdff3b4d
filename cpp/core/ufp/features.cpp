#include "core/ufp/features.h"

#include "core/common/error.h"
#include "core/neighbors/search.h"
#include "core/ufp/center_atoms.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace lpsnmr::ufp {
namespace {

std::string names(std::initializer_list<int> species) {
  std::string out;
  for (int s : species) out += (out.empty() ? "" : " ") + std::to_string(s);
  return out;
}

/// How one distance moves the rows: direction of the unit vector and r u (x) u.
struct Side {
  std::array<double, 3> direction;
  std::array<double, 6> moment;
};

Side make_side(const double *d, double r) {
  const double inverse = 1.0 / r;
  return {{d[0] * inverse, d[1] * inverse, d[2] * inverse},
          {d[0] * d[0] * inverse, d[1] * d[1] * inverse, d[2] * d[2] * inverse,
           d[0] * d[1] * inverse, d[0] * d[2] * inverse, d[1] * d[2] * inverse}};
}

/// The pair of a centre with entry e of its neighbours.
void add_pair_rows(const Basis::Pair &pair, std::size_t center,
                   const neighbors::Neighborhood &neighbors, std::size_t e, std::size_t rows,
                   double *out) {
  splines::BasisValues basis;
  pair.grid.evaluate(neighbors.distance[e], basis);
  const Side side = make_side(neighbors.vector + 3 * e, neighbors.distance[e]);
  for (int k = 0; k < 4; ++k) {
    const int function = basis.offset + k;
    if (function >= pair.columns) break;
    double *column = out + std::size_t(pair.first_column + function) * rows;
    const double slope = basis.derivative[k];
    column[0] += basis.value[k];
    for (std::size_t m = 0; m < 6; ++m) column[1 + m] -= slope * side.moment[m];
    double *on_i = column + 7 + 3 * center,
           *on_j = column + 7 + 3 * std::size_t(neighbors.index[e]);
    for (std::size_t a = 0; a < 3; ++a) {
      on_i[a] += slope * side.direction[a];
      on_j[a] -= slope * side.direction[a];
    }
  }
}

/// Centre, the two neighbours and the three distances of a triplet.
struct Triplet {
  std::size_t i, j, k;
  Side ij, ik, jk;
  splines::BasisValues basis_ij, basis_ik, basis_jk;
};

void add_triplet_rows(const Basis::Triple &triple, const Triplet &t, std::size_t rows,
                      double *out) {
  const std::size_t n_ik = std::size_t(triple.grid_ik.functions());
  const std::size_t n_jk = std::size_t(triple.grid_jk.functions());
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 4; ++b) {
      const int *map =
          triple.column.data() +
          (std::size_t(t.basis_ij.offset + a) * n_ik + std::size_t(t.basis_ik.offset + b)) * n_jk +
          std::size_t(t.basis_jk.offset);
      const double va = t.basis_ij.value[a], vb = t.basis_ik.value[b], both = va * vb;
      const double da = t.basis_ij.derivative[a] * vb, db = va * t.basis_ik.derivative[b];
      for (int c = 0; c < 4; ++c) {
        if (map[c] < 0) continue;
        double *column = out + std::size_t(map[c]) * rows;
        const double vc = t.basis_jk.value[c];
        const double s_ij = da * vc, s_ik = db * vc, s_jk = both * t.basis_jk.derivative[c];
        column[0] += both * vc;
        for (std::size_t m = 0; m < 6; ++m)
          column[1 + m] -= s_ij * t.ij.moment[m] + s_ik * t.ik.moment[m] + s_jk * t.jk.moment[m];
        double *on_i = column + 7 + 3 * t.i, *on_j = column + 7 + 3 * t.j,
               *on_k = column + 7 + 3 * t.k;
        for (std::size_t x = 0; x < 3; ++x) {
          const double f_ij = s_ij * t.ij.direction[x], f_ik = s_ik * t.ik.direction[x],
                       f_jk = s_jk * t.jk.direction[x];
          on_i[x] += f_ij + f_ik;
          on_j[x] += f_jk - f_ij;
          on_k[x] -= f_jk + f_ik;
        }
      }
    }
}

/// All triplets of one centre with those of its neighbours that are close enough.
void add_center_triplets(const Basis &basis, std::size_t center, int species,
                         const neighbors::Neighborhood &neighbors,
                         const std::vector<std::size_t> &close, std::size_t rows, double *out) {
  Triplet t;
  t.i = center;
  for (std::size_t x = 0; x < close.size(); ++x)
    for (std::size_t y = x + 1; y < close.size(); ++y) {
      bool swapped = false;
      const int which = basis.triple_of(species, neighbors.species[close[x]],
                                        neighbors.species[close[y]], swapped);
      if (which < 0) continue;
      const Basis::Triple &triple = basis.triples()[std::size_t(which)];
      const std::size_t j = close[swapped ? y : x], k = close[swapped ? x : y];
      const double r_ij = neighbors.distance[j], r_ik = neighbors.distance[k];
      if (r_ij >= triple.grid_ij.high() || r_ik >= triple.grid_ik.high()) continue;
      const double *const d_ij = neighbors.vector + 3 * j, *const d_ik = neighbors.vector + 3 * k;
      const double d[3] = {d_ik[0] - d_ij[0], d_ik[1] - d_ij[1], d_ik[2] - d_ij[2]};
      const double r = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
      if (r >= triple.grid_jk.high()) continue;
      if (r < 1e-10)
        throw Error("two neighbours of atom " + std::to_string(center) + " are at the same place");
      t.j = std::size_t(neighbors.index[j]);
      t.k = std::size_t(neighbors.index[k]);
      t.ij = make_side(d_ij, r_ij);
      t.ik = make_side(d_ik, r_ik);
      t.jk = make_side(d, r);
      triple.grid_ij.evaluate(r_ij, t.basis_ij);
      triple.grid_ik.evaluate(r_ik, t.basis_ik);
      triple.grid_jk.evaluate(r, t.basis_jk);
      add_triplet_rows(triple, t, rows, out);
    }
}

} // namespace

Basis::Basis(int species, const std::vector<PairKnots> &pairs,
             const std::vector<TripletKnots> &triples)
    : species_(species) {
  if (species < 1)
    throw Error("a basis needs at least one species, got " + std::to_string(species));
  const std::size_t n = std::size_t(species);
  pair_of_.assign(n * n, -1);
  triple_of_.assign(n * n * n, -1);
  reach_.assign(n * n, 0.0);
  for (const PairKnots &layout : pairs) add_pair(layout);
  for (const TripletKnots &layout : triples) add_triple(layout);
  for (int a = 0; a < species; ++a)
    for (int b = a; b < species; ++b)
      if (pair_of(a, b) < 0) throw Error("no pair layout for species " + names({a, b}));
}

void Basis::add_pair(const PairKnots &layout) {
  const int a = layout.species[0], b = layout.species[1];
  if (std::min(a, b) < 0 || std::max(a, b) >= species_)
    throw Error("pair layout: species " + names({a, b}) + " out of range");
  if (pair_of(a, b) >= 0)
    throw Error("pair layout for species " + names({a, b}) + " is given twice");
  Pair pair{splines::KnotGrid(layout.knots), columns_, 0};
  pair.columns = pair.grid.functions() - trailing_zeros;
  columns_ += pair.columns;
  cutoff_ = std::max(cutoff_, pair.grid.high());
  const int index = static_cast<int>(pairs_.size());
  pair_of_[std::size_t(a) * species_ + b] = pair_of_[std::size_t(b) * species_ + a] = index;
  pairs_.push_back(std::move(pair));
}

void Basis::add_triple(const TripletKnots &layout) {
  const auto [a, b, c] = layout.species;
  if (std::min({a, b, c}) < 0 || std::max({a, b, c}) >= species_)
    throw Error("triple layout: species " + names({a, b, c}) + " out of range");
  bool swapped;
  if (triple_of(a, b, c, swapped) >= 0)
    throw Error("triple layout for species " + names({a, b, c}) + " is given twice");
  if (b == c && layout.knots_ij != layout.knots_ik)
    throw Error("triple layout for species " + names({a, b, c}) +
                ": like neighbours need the same knots along ij and ik");
  Triple triple{layout.species,
                splines::KnotGrid(layout.knots_ij),
                splines::KnotGrid(layout.knots_ik),
                splines::KnotGrid(layout.knots_jk),
                {}};
  const int n_ij = triple.grid_ij.functions(), n_ik = triple.grid_ik.functions(),
            n_jk = triple.grid_jk.functions();
  triple.column.assign(std::size_t(n_ij) * n_ik * n_jk, -1);
  const auto at = [&](int p, int q, int s) -> int & {
    return triple.column[(std::size_t(p) * n_ik + q) * n_jk + s];
  };
  for (int p = 0; p < n_ij - trailing_zeros; ++p)
    for (int q = 0; q < n_ik - trailing_zeros; ++q)
      for (int s = 0; s < n_jk - trailing_zeros; ++s)
        at(p, q, s) = b == c && q < p ? at(q, p, s) : columns_++;
  double &reach_b = reach_[std::size_t(a) * species_ + b],
         &reach_c = reach_[std::size_t(a) * species_ + c];
  reach_b = std::max(reach_b, triple.grid_ij.high());
  reach_c = std::max(reach_c, triple.grid_ik.high());
  cutoff_ = std::max({cutoff_, reach_b, reach_c});
  triple_of_[(std::size_t(a) * species_ + b) * species_ + c] = static_cast<int>(triples_.size());
  triples_.push_back(std::move(triple));
}

int Basis::triple_of(int a, int b, int c, bool &swapped) const {
  const int straight = triple_of_[(std::size_t(a) * species_ + b) * species_ + c];
  swapped = straight < 0;
  return swapped ? triple_of_[(std::size_t(a) * species_ + c) * species_ + b] : straight;
}

void evaluate_features(const Basis &basis, const neighbors::System &system,
                       const std::vector<int> &species, double *out) {
  neighbors::check_species(species, system.size, basis.species());
  const std::size_t rows = feature_rows(system.size);
  std::fill(out, out + rows * std::size_t(basis.columns()), 0.0);
  const neighbors::NeighborList list = neighbors::build_neighbor_list(system, basis.cutoff());
  const std::vector<int> entry_species = list.species_of_entries(species);
  std::vector<std::size_t> close;
  for (std::size_t i = 0; i < system.size; ++i) {
    const neighbors::Neighborhood around = list.around(i, entry_species.data());
    close.clear();
    for (std::size_t e = 0; e < around.size; ++e) {
      const double r = around.distance[e];
      const Basis::Pair &pair =
          basis.pairs()[std::size_t(basis.pair_of(species[i], around.species[e]))];
      if (r < pair.grid.low())
        throw Error("atoms " + std::to_string(i) + " and " + std::to_string(around.index[e]) +
                    " are " + std::to_string(r) + " Å apart, below the first two-body knot at " +
                    std::to_string(pair.grid.low()) + " Å");
      if (r < pair.grid.high()) add_pair_rows(pair, i, around, e, rows, out);
      if (r < basis.three_body_cutoff(species[i], around.species[e])) close.push_back(e);
    }
    add_center_triplets(basis, i, species[i], around, close, rows, out);
  }
}

} // namespace lpsnmr::ufp
