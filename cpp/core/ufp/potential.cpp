#include "core/ufp/potential.h"

#include "core/common/error.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace lpsnmr::ufp {

PairSpline::PairSpline(const TwoBodyBlock &block) : grid_(block.knots), cutoff_(block.cutoff) {
  for (std::size_t s = 0; s < grid_.spans(); ++s)
    for (int power = 0; power < 4; ++power) {
      double sum = 0;
      for (int k = 0; k < 4; ++k)
        sum += grid_.polynomial(s, power, k) * block.coefficients[std::size_t(grid_.offset(s) + k)];
      cubic_.push_back(sum);
    }
  constexpr double least_stiffness = 20.0; // eV/Å^2 of the ordered pair
  value_ = cubic_[0];
  slope_ = cubic_[1];
  stiffness_ = std::max(2.0 * cubic_[2], least_stiffness);
  if (slope_ > 0 && grid_.low() > 0) stiffness_ = std::max(stiffness_, 2.0 * slope_ / grid_.low());
}

std::vector<double> PairSpline::cubics(const splines::KnotGrid &knots) const {
  std::vector<double> out{value_, slope_, 0.5 * stiffness_, 0.0};
  for (std::size_t s = 0; s < knots.spans(); ++s) {
    // the span of the own knots it lies in, found from its middle
    const double end = s + 1 < knots.spans() ? knots.start(s + 1) : knots.high();
    const std::size_t own = grid_.span(0.5 * (knots.start(s) + end));
    const double *c = &cubic_[4 * own], x = knots.start(s) - grid_.start(own);
    out.push_back(c[0] + x * (c[1] + x * (c[2] + x * c[3])));
    out.push_back(c[1] + x * (2.0 * c[2] + 3.0 * x * c[3]));
    out.push_back(c[2] + 3.0 * x * c[3]);
    out.push_back(c[3]);
  }
  return out;
}

int Potential::add_grid(const std::vector<double> &knots) {
  splines::KnotGrid grid(knots);
  for (std::size_t g = 0; g < grids_.size(); ++g)
    if (grids_[g] == grid) return static_cast<int>(g);
  grids_.push_back(std::move(grid));
  return static_cast<int>(grids_.size()) - 1;
}

void Potential::add_triple(const ThreeBodyBlock &block, int a, int b, int c) {
  const std::size_t n = elements_.size();
  const bool swap = b > c; // store neighbours in ascending species order
  TripletCoefficients &table = triples_[(std::size_t(a) * n + std::min(b, c)) * n + std::max(b, c)];
  table.present = true;
  const auto &knots_ij = swap ? block.knots_ik : block.knots_ij;
  const auto &knots_ik = swap ? block.knots_ij : block.knots_ik;
  table.grid_ij = add_grid(knots_ij);
  table.grid_ik = add_grid(knots_ik);
  table.grid_jk = add_grid(block.knots_jk);
  table.cutoff_ij = swap ? block.cutoff_ik : block.cutoff_ij;
  table.cutoff_ik = swap ? block.cutoff_ij : block.cutoff_ik;
  table.cutoff_jk = block.cutoff_jk;
  table.n_ij = static_cast<int>(knots_ij.size()) - 4;
  table.n_ik = static_cast<int>(knots_ik.size()) - 4;
  table.n_jk = static_cast<int>(block.knots_jk.size()) - 4;
  table.coefficients.assign(std::size_t(table.n_ij) * table.n_ik * table.n_jk + 3, 0.0);
  for (int i = 0; i < table.n_ij; ++i)
    for (int j = 0; j < table.n_ik; ++j)
      for (int k = 0; k < table.n_jk; ++k) {
        // like neighbours: V3 is symmetric, the half with ij <= ik of the file counts
        int p = swap ? j : i, q = swap ? i : j;
        if (b == c && p > q) std::swap(p, q);
        const int columns = swap ? table.n_ij : table.n_ik;
        table.coefficients[(std::size_t(i) * table.n_ik + j) * table.n_jk + k] =
            block.coefficients[(std::size_t(p) * columns + q) * table.n_jk + k];
      }
  shrink_to_support(table);
}

/// Move the cutoffs in to where the last non-zero coefficients end: V3 vanishes beyond anyway.
void Potential::shrink_to_support(TripletCoefficients &table) const {
  int last[3] = {-1, -1, -1};
  for (int i = 0; i < table.n_ij; ++i)
    for (int j = 0; j < table.n_ik; ++j)
      for (int k = 0; k < table.n_jk; ++k)
        if (table.coefficients[(std::size_t(i) * table.n_ik + j) * table.n_jk + k] != 0) {
          last[0] = std::max(last[0], i);
          last[1] = std::max(last[1], j);
          last[2] = std::max(last[2], k);
        }
  const int grids[3] = {table.grid_ij, table.grid_ik, table.grid_jk};
  double *cutoffs[3] = {&table.cutoff_ij, &table.cutoff_ik, &table.cutoff_jk};
  for (int axis = 0; axis < 3; ++axis) {
    // function f is non-zero between knots f and f + 4
    const double end =
        last[axis] < 0 ? 0.0 : grids_[grids[axis]].knots()[std::size_t(last[axis] + 4)];
    // the reader lets a cutoff lie beyond the knots by rounding
    *cutoffs[axis] = std::min({*cutoffs[axis], end, grids_[grids[axis]].high()});
  }
  if (table.cutoff_ij <= 0 || table.cutoff_ik <= 0 || table.cutoff_jk <= 0)
    table.cutoff_ij = table.cutoff_ik = table.cutoff_jk = 0; // no neighbours for nothing
}

Potential::Potential(const Uf3File &file, const std::vector<std::string> &elements, BodyOrder order)
    : units_(file.units), elements_(elements), three_body_(order == BodyOrder::three) {
  const std::size_t n = elements_.size();
  std::set<std::string> known;
  for (const auto &block : file.pairs) known.insert(block.elements.begin(), block.elements.end());
  for (const auto &element : elements_)
    if (!known.count(element)) {
      std::string names;
      for (const auto &name : known) names += (names.empty() ? "" : " ") + name;
      throw Error(file.name + ": no element '" + element + "' in the potential; it has: " + names);
    }
  std::vector<char> have(n * n, 0);
  pairs_.resize(n * n);
  triples_.resize(n * n * n);
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      for (const auto &block : file.pairs) {
        const auto &e = block.elements;
        if (!((e[0] == elements_[a] && e[1] == elements_[b]) ||
              (e[1] == elements_[a] && e[0] == elements_[b])))
          continue;
        pairs_[a * n + b] = PairSpline(block);
        have[a * n + b] = 1;
      }
      if (!have[a * n + b])
        throw Error(file.name + ": no 2B block for " + elements_[a] + " " + elements_[b]);
    }
  cutoffs_.assign(n * n, 0.0);
  three_body_cutoffs_.assign(n * n, 0.0);
  for (std::size_t k = 0; k < n * n; ++k) cutoffs_[k] = pairs_[k].cutoff();
  if (three_body_) {
    if (file.triples.empty())
      throw Error(file.name + ": three-body terms were asked for, but the file has no 3B block");
    for (std::size_t a = 0; a < n; ++a)
      for (std::size_t b = 0; b < n; ++b)
        for (std::size_t c = b; c < n; ++c) {
          for (const auto &block : file.triples) {
            const auto &e = block.elements;
            if (e[0] != elements_[a]) continue;
            if (e[1] == elements_[b] && e[2] == elements_[c])
              add_triple(block, int(a), int(b), int(c));
            else if (e[1] == elements_[c] && e[2] == elements_[b])
              add_triple(block, int(a), int(c), int(b));
          }
          const TripletCoefficients &table = triple(int(a), int(b), int(c));
          if (!table.present)
            throw Error(file.name + ": no 3B block for centre " + elements_[a] + " with " +
                        elements_[b] + " " + elements_[c]);
          double &ab = three_body_cutoffs_[a * n + b], &ac = three_body_cutoffs_[a * n + c];
          ab = std::max(ab, table.cutoff_ij);
          ac = std::max(ac, table.cutoff_ik);
        }
    for (std::size_t a = 0; a < n; ++a)
      for (std::size_t b = 0; b < n; ++b)
        cutoffs_[a * n + b] = std::max({pairs_[a * n + b].cutoff(), three_body_cutoffs_[a * n + b],
                                        three_body_cutoffs_[b * n + a]});
  }
  for (double cutoff : cutoffs_) max_cutoff_ = std::max(max_cutoff_, cutoff);
}

} // namespace lpsnmr::ufp
