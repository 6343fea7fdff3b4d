#include "core/ufp/tables.h"

#include "core/common/error.h"
#include "core/splines/knot_refinement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace lpsnmr::ufp {

namespace {

constexpr double most_cells = 5e7; // of a centre, 4 bytes each: what a file may ask memory for

} // namespace

KnotLookup::KnotLookup(const splines::KnotGrid &grid) : uniform(grid.uniform()), low(grid.low()) {
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

Tables::Tables(const Potential &potential) : species_(potential.species()) {
  const std::size_t n = std::size_t(species_);
  for (const splines::KnotGrid &grid : potential.grids()) {
    knots_.push_back(splines::uniform_refinement(grid));
    grids_.emplace_back(knots_.back());
  }
  pairs_.resize(n);
  centers_.resize(n);
  grids_needed_.resize(n * n);
  for (int a = 0; a < species_; ++a) {
    add_pairs(potential, a);
    add_center(potential, a);
  }
}

void Tables::add_pairs(const Potential &potential, int a) {
  PairRow &row = pairs_[std::size_t(a)];
  row.common = row.uniform = true;
  for (int b = 0; b < species_; ++b) {
    const PairSpline &table = potential.pair(a, b);
    const splines::KnotGrid knots = splines::uniform_refinement(table.grid());
    row.spans.emplace_back(knots);
    const KnotLookup &spans = row.spans.back(), &first = row.spans.front();
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

void Tables::add_center(const Potential &potential, int a) {
  CenterTables &center = centers_[std::size_t(a)];
  center.tables.resize(std::size_t(species_) * species_);
  if (!potential.three_body()) return;
  std::size_t radial = 0, jk = 0, present = 0; // entries, the most of any table; ordered tables
  for (int b = 0; b < species_; ++b)
    for (int c = b; c < species_; ++c) {
      const TripletCoefficients &table = potential.triple(a, b, c);
      if (!table.present) continue;
      present += b == c ? 1 : 2;
      const auto entries = [&](int grid) { return knots_[std::size_t(grid)].spans() + 1; };
      radial = std::max({radial, entries(table.grid_ij), entries(table.grid_ik)});
      jk = std::max(jk, entries(table.grid_jk));
    }
  const double cells = double(present) * double(radial + 1) * double(radial + 1) * double(jk + 1);
  if (cells > most_cells)
    throw Error("the three-body knots around " + potential.elements()[std::size_t(a)] + " make " +
                std::to_string(static_cast<long long>(cells)) + " cells; expected at most " +
                std::to_string(static_cast<long long>(most_cells)) + " (" +
                std::to_string(present) + " tables, each of " + std::to_string(radial + 1) +
                "^2 entries of the longest r_ij or r_ik times " + std::to_string(jk + 1) +
                " of the longest r_jk)");
  // one more: where rounding finds a distance below the cutoff beyond the knots
  center.stride_ik = static_cast<int>(jk) + 1;
  center.stride_ij = static_cast<int>(radial + 1) * center.stride_ik;
  for (int b = 0; b < species_; ++b)
    for (int c = 0; c < species_; ++c) {
      add_triplet(potential, a, b, c);
      TripletLayout &table = center.tables[std::size_t(b) * species_ + c];
      table.first_cell = center.cells;
      if (table.present) center.cells += static_cast<int>(radial + 1) * center.stride_ij;
    }
  find_common(a);
}

void Tables::add_triplet(const Potential &potential, int a, int b, int c) {
  CenterTables &center = centers_[std::size_t(a)];
  TripletLayout &to = center.tables[std::size_t(b) * species_ + c];
  const TripletCoefficients &from = potential.triple(a, std::min(b, c), std::max(b, c));
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
  splines::CoefficientBlock block{{from.n_ij, from.n_ik, from.n_jk}, from.coefficients};
  for (int axis = 0; axis < 3; ++axis)
    block = splines::refined(block, axis, potential.grids()[std::size_t(grids[axis])],
                             knots_[std::size_t(grids[axis])]);
  to.coefficients = block;
  if (swap) std::swap(to.coefficients.size[0], to.coefficients.size[1]);
  for (int i = 0; swap && i < block.size[1]; ++i)
    for (int k = 0; k < block.size[0]; ++k)
      for (int m = 0; m < block.size[2]; ++m)
        to.coefficients.values[(std::size_t(i) * block.size[0] + k) * block.size[2] + m] =
            block.at(k, i, m);
  const auto need = [&](int species, int grid) {
    std::vector<int> &list = grids_needed_[std::size_t(a) * species_ + species];
    if (std::find(list.begin(), list.end(), grid) == list.end()) list.push_back(grid);
  };
  need(b, to.grid_ij);
  need(c, to.grid_ik);
}

bool Tables::polynomial(int a, int cell, double *out) const {
  std::fill_n(out, 64, 0.0);
  const CenterTables &center = this->center(a);
  const int size = center.stride_ij * (center.stride_ij / center.stride_ik);
  const auto found =
      std::find_if(center.tables.begin(), center.tables.end(), [&](const TripletLayout &table) {
        return table.present && cell >= table.first_cell && cell < table.first_cell + size;
      });
  if (found == center.tables.end()) return false;
  const int place = cell - found->first_cell;
  const int grids[3] = {found->grid_ij, found->grid_ik, found->grid_jk};
  const int entries[3] = {place / center.stride_ij, place % center.stride_ij / center.stride_ik,
                          place % center.stride_ik};
  const splines::CoefficientBlock &from = found->coefficients;
  double powers[3][4][4]; // (axis, power, function)
  int first[3];           // of the functions
  for (int axis = 0; axis < 3; ++axis) {
    const splines::KnotGrid &knots = knots_[std::size_t(grids[axis])];
    const int entry = entries[axis];
    if (entry > int(knots.spans())) return false;
    const std::size_t span = std::size_t(std::max(entry - 1, 0));
    first[axis] = knots.offset(span);
    for (int power = 0; power < 4; ++power)
      for (int k = 0; k < 4; ++k) // below the first knot a straight line
        powers[axis][power][k] = (entry == 0 && power > 1) || first[axis] + k >= from.size[axis]
                                     ? 0.0
                                     : knots.polynomial(span, power, k);
  }
  bool any = false;
  for (int i = 0; i < 4; ++i)
    for (int k = 0; k < 4; ++k)
      for (int m = 0; m < 4; ++m) {
        const auto inside = [&](int axis, int n) { return first[axis] + n < from.size[axis]; };
        if (!inside(0, i) || !inside(1, k) || !inside(2, m)) continue;
        const double c = from.at(first[0] + i, first[1] + k, first[2] + m);
        any = any || c != 0.0;
        for (int n = 0; n < 64; ++n)
          out[n] += c * powers[0][n / 16][i] * powers[1][n / 4 % 4][k] * powers[2][n % 4][m];
      }
  return any;
}

/// See whether the tables of a centre share their spacings.
void Tables::find_common(int a) {
  CenterTables &center = centers_[std::size_t(a)];
  center.common = true;
  bool first = true;
  const auto join = [&](KnotLookup &shared, const KnotLookup &grid) {
    if (first) shared = grid;
    center.common = center.common && grid.uniform && grid.low == shared.low &&
                    std::abs(grid.width - shared.width) < 1e-13 * shared.width;
    if (grid.last_cell > shared.last_cell) shared = grid;
  };
  for (const TripletLayout &table : center.tables) {
    if (!table.present) continue;
    join(center.radial, grid(table.grid_ij));
    join(center.jk, grid(table.grid_jk));
    first = false;
    join(center.radial, grid(table.grid_ik));
  }
  if (first) center.common = false; // no table, no knots
}

} // namespace lpsnmr::ufp
