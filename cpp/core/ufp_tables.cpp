#include "ufp_tables.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lpsnmr {

SpanTable::SpanTable(const KnotGrid &grid) : uniform(grid.uniform()), low(grid.low()) {
  const std::size_t spans = grid.spans();
  origin.assign(1, low);
  offset.assign(1, grid.offset(0));
  next.assign(1, low);
  double shortest = grid.high() - low;
  for (std::size_t s = 0; s < spans; ++s) {
    origin.push_back(grid.start(s));
    offset.push_back(grid.offset(s));
    const bool last = s + 1 == spans;
    next.push_back(last ? std::numeric_limits<double>::infinity() : grid.start(s + 1));
    shortest = std::min(shortest, (last ? grid.high() : grid.start(s + 1)) - grid.start(s));
  }
  if (uniform) {
    cells_per_length = grid.spans_per_length();
    width = 1.0 / cells_per_length;
    last_cell = double(spans);
    return;
  }
  const double cells = std::clamp(std::ceil((grid.high() - low) / shortest), 1.0, 4096.0);
  cells_per_length = cells / (grid.high() - low);
  last_cell = cells;
  // start half a cell early, so that rounding of the cell index never begins beyond the entry
  const auto entry_at = [&](double r) {
    int entry = 0;
    while (r >= next[std::size_t(entry)]) ++entry;
    return entry;
  };
  for (int c = 0; c <= int(cells); ++c) {
    const double left = low + (double(c) - 1.5) / cells_per_length;
    const double right = c == int(cells) ? grid.high() : left + 2.0 / cells_per_length;
    lookup.push_back(entry_at(left));
    steps = std::max(steps, entry_at(right) - lookup.back());
  }
}

BasisTable::BasisTable(const KnotGrid &grid) : SpanTable(grid) {
  polynomials.assign(32 * (grid.spans() + 1), 0.0);
  for (int k = 0; k < 4; ++k) {
    double *p = &polynomials[std::size_t(k)];
    p[0] = grid.polynomial(0, 0, k); // a straight line
    p[8] = grid.polynomial(0, 1, k);
    p[4] = grid.polynomial(0, 1, k);
    for (std::size_t s = 0; s < grid.spans(); ++s) {
      p += 32;
      for (int power = 0; power < 4; ++power) {
        p[8 * power] = grid.polynomial(s, power, k);
        if (power < 3) p[8 * power + 4] = (power + 1) * grid.polynomial(s, power + 1, k);
      }
    }
  }
}

UfpTables::UfpTables(const UfpPotential &potential) : species_(potential.species()) {
  const std::size_t n = std::size_t(species_);
  for (const KnotGrid &grid : potential.grids()) grids_.emplace_back(grid);
  pairs_.resize(n);
  triplets_.resize(n * n * n);
  grids_needed_.resize(n * n);
  for (int a = 0; a < species_; ++a) {
    add_pairs(potential, a);
    if (!potential.three_body()) continue;
    for (int b = 0; b < species_; ++b)
      for (int c = 0; c < species_; ++c) add_triplet(potential, a, b, c);
  }
}

void UfpTables::add_pairs(const UfpPotential &potential, int a) {
  PairRow &row = pairs_[std::size_t(a)];
  row.common = row.uniform = true;
  for (int b = 0; b < species_; ++b) {
    const PairTable &table = potential.pair(a, b);
    row.spans.emplace_back(table.grid());
    const SpanTable &spans = row.spans.back(), &first = row.spans.front();
    row.uniform = row.uniform && spans.uniform;
    row.common = row.common && spans.uniform && spans.low == first.low &&
                 spans.width == first.width && spans.last_cell == first.last_cell &&
                 table.cutoff() == potential.pair(a, 0).cutoff();
    row.start.push_back(double(row.cubic.size() / 4));
    row.cutoff.push_back(table.cutoff());
    row.low.push_back(spans.low);
    row.cells_per_length.push_back(spans.cells_per_length);
    row.last_cell.push_back(spans.last_cell);
    row.width.push_back(spans.width);
    row.near.push_back(potential.three_body() ? potential.three_body_cutoff(a, b) : 0.0);
    row.reach = std::max({row.reach, row.cutoff.back(), row.near.back()});
    const auto cubics = table.cubics();
    row.cubic.insert(row.cubic.end(), cubics.begin(), cubics.end());
  }
}

void UfpTables::add_triplet(const UfpPotential &potential, int a, int b, int c) {
  const TripleTable &from = potential.triple(a, std::min(b, c), std::max(b, c));
  TripletTable &to = triplets_[(std::size_t(a) * species_ + b) * species_ + c];
  const bool swap = b > c;
  to.present = from.cutoff_ij > 0 && from.cutoff_ik > 0 && from.cutoff_jk > 0;
  to.grid_ij = swap ? from.grid_ik : from.grid_ij;
  to.grid_ik = swap ? from.grid_ij : from.grid_ik;
  to.grid_jk = from.grid_jk;
  to.cutoff_ij = swap ? from.cutoff_ik : from.cutoff_ij;
  to.cutoff_ik = swap ? from.cutoff_ij : from.cutoff_ik;
  to.cutoff_jk = from.cutoff_jk;
  const int n_ij = swap ? from.n_ik : from.n_ij;
  to.n_ik = swap ? from.n_ij : from.n_ik;
  to.n_jk = from.n_jk;
  if (!to.present) return;
  to.coefficients.reserve(from.coefficients.size() + 4);
  for (int i = 0; i < n_ij; ++i)
    for (int k = 0; k < to.n_ik; ++k) {
      const int p = swap ? k : i, q = swap ? i : k;
      const double *line = &from.coefficients[(std::size_t(p) * from.n_ik + q) * from.n_jk];
      to.coefficients.insert(to.coefficients.end(), line, line + to.n_jk);
    }
  to.coefficients.insert(to.coefficients.end(), 4, 0.0);
  const auto need = [&](int species, int grid) {
    std::vector<int> &list = grids_needed_[std::size_t(a) * species_ + species];
    if (std::find(list.begin(), list.end(), grid) == list.end()) list.push_back(grid);
  };
  need(b, to.grid_ij);
  need(c, to.grid_ik);
}

} // namespace lpsnmr
