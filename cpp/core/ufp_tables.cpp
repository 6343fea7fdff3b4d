#include "ufp_tables.h"

#include "knot_refinement.h"

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

UfpTables::UfpTables(const UfpPotential &potential) : species_(potential.species()) {
  const std::size_t n = std::size_t(species_);
  std::size_t longest = 0;
  for (const KnotGrid &grid : potential.grids()) {
    add_grid(grid);
    longest = std::max(longest, knots_.back().spans());
  }
  // an entry found on the longest of several grids is read from the shorter ones, too
  polynomials_.resize(polynomials_.size() + 32 * longest, 0.0);
  pairs_.resize(n);
  centers_.resize(n);
  grids_needed_.resize(n * n);
  for (int a = 0; a < species_; ++a) {
    add_pairs(potential, a);
    add_center(potential, a);
  }
}

void UfpTables::add_grid(const KnotGrid &original) {
  knots_.push_back(uniform_refinement(original));
  const KnotGrid &grid = knots_.back();
  const std::size_t first = polynomials_.size() / 32;
  grids_.emplace_back(grid, static_cast<int>(first));
  // the last entry stays zero: where rounding finds a distance below the cutoff beyond the knots
  polynomials_.resize(32 * (first + grid.spans() + 2), 0.0);
  for (int k = 0; k < 4; ++k) {
    double *p = &polynomials_[32 * first + std::size_t(k)];
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

void UfpTables::add_pairs(const UfpPotential &potential, int a) {
  PairRow &row = pairs_[std::size_t(a)];
  row.common = row.uniform = true;
  for (int b = 0; b < species_; ++b) {
    const PairTable &table = potential.pair(a, b);
    const KnotGrid knots = uniform_refinement(table.grid());
    row.spans.emplace_back(knots);
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
    const auto cubics = table.cubics(knots);
    row.cubic.insert(row.cubic.end(), cubics.begin(), cubics.end());
  }
  row.few = species_ <= 8;
  row.near.resize(std::size_t(std::max(species_, 8)), 0.0);
}

void UfpTables::add_center(const UfpPotential &potential, int a) {
  CenterTables &center = centers_[std::size_t(a)];
  center.tables.resize(std::size_t(species_) * species_);
  if (!potential.three_body()) return;
  int n_ik = 0, n_jk = 0; // the largest of any table
  for (int b = 0; b < species_; ++b)
    for (int c = b; c < species_; ++c) {
      const TripleTable &table = potential.triple(a, b, c);
      n_ik = std::max({n_ik, knots_[std::size_t(table.grid_ij)].functions(),
                       knots_[std::size_t(table.grid_ik)].functions()});
      n_jk = std::max(n_jk, knots_[std::size_t(table.grid_jk)].functions());
    }
  center.stride_ik = n_jk;
  center.stride_ij = n_ik * n_jk;
  for (int b = 0; b < species_; ++b)
    for (int c = 0; c < species_; ++c) add_triplet(potential, a, b, c);
  const int padding = center.stride_ij + center.stride_ik + 4; // a span too far, and whole vectors
  center.coefficients.insert(center.coefficients.end(), std::size_t(padding), 0.0);
  find_common(a);
}

void UfpTables::add_triplet(const UfpPotential &potential, int a, int b, int c) {
  CenterTables &center = centers_[std::size_t(a)];
  TripletTable &to = center.tables[std::size_t(b) * species_ + c];
  const TripleTable &from = potential.triple(a, std::min(b, c), std::max(b, c));
  const bool swap = b > c;
  to.present = from.cutoff_ij > 0 && from.cutoff_ik > 0 && from.cutoff_jk > 0;
  if (!to.present) return;
  to.grid_ij = swap ? from.grid_ik : from.grid_ij;
  to.grid_ik = swap ? from.grid_ij : from.grid_ik;
  to.grid_jk = from.grid_jk;
  to.cutoff_ij = swap ? from.cutoff_ik : from.cutoff_ij;
  to.cutoff_ik = swap ? from.cutoff_ij : from.cutoff_ik;
  to.cutoff_jk = from.cutoff_jk;

  const int grids[3] = {from.grid_ij, from.grid_ik, from.grid_jk};
  CoefficientBlock block{{from.n_ij, from.n_ik, from.n_jk}, from.coefficients};
  for (int axis = 0; axis < 3; ++axis)
    block = refined(block, axis, potential.grids()[std::size_t(grids[axis])],
                    knots_[std::size_t(grids[axis])]);
  to.first = center.coefficients.size();
  const int n_ij = block.size[swap ? 1 : 0], n_ik = block.size[swap ? 0 : 1];
  center.coefficients.resize(to.first + std::size_t(n_ij) * center.stride_ij, 0.0);
  for (int i = 0; i < n_ij; ++i)
    for (int k = 0; k < n_ik; ++k)
      for (int m = 0; m < block.size[2]; ++m)
        center.coefficients[to.first + std::size_t(i) * center.stride_ij +
                            std::size_t(k) * center.stride_ik + std::size_t(m)] =
            swap ? block.at(k, i, m) : block.at(i, k, m);
  const auto need = [&](int species, int grid) {
    std::vector<int> &list = grids_needed_[std::size_t(a) * species_ + species];
    if (std::find(list.begin(), list.end(), grid) == list.end()) list.push_back(grid);
  };
  need(b, to.grid_ij);
  need(c, to.grid_ik);
}

/// See whether the tables of a centre share their spacings.
void UfpTables::find_common(int a) {
  CenterTables &center = centers_[std::size_t(a)];
  center.common = true;
  bool first = true;
  const auto join = [&](SpanTable &shared, const SpanTable &grid) {
    if (first) shared = grid;
    center.common = center.common && grid.uniform && grid.low == shared.low &&
                    std::abs(grid.width - shared.width) < 1e-13 * shared.width;
    if (grid.last_cell > shared.last_cell) shared = grid;
  };
  for (const TripletTable &table : center.tables) {
    if (!table.present) continue;
    join(center.radial, grid(table.grid_ij));
    join(center.jk, grid(table.grid_jk));
    first = false;
    join(center.radial, grid(table.grid_ik));
  }
  if (first) center.common = false; // no table, no knots
}

} // namespace lpsnmr
