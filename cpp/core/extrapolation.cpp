#include "extrapolation.h"

#include "vector_clones.h"

#include <algorithm>
#include <cmath>

namespace lpsnmr {
namespace {

/// sum[k] += value * row[k] for k < count.
LPSNMR_CLONES void add_row(double value, const float *row, std::size_t count, double *sum) {
  for (std::size_t k = 0; k < count; ++k) sum[k] += value * double(row[k]);
}

/// The same for four rows at once, so that the sums are read and written once.
LPSNMR_CLONES void add_four_rows(const double *value, const float *const *row, std::size_t count,
                                 double *sum) {
  const double a = value[0], b = value[1], c = value[2], d = value[3];
  const float *const ra = row[0], *const rb = row[1], *const rc = row[2], *const rd = row[3];
  for (std::size_t k = 0; k < count; ++k)
    sum[k] += a * double(ra[k]) + b * double(rb[k]) + (c * double(rc[k]) + d * double(rd[k]));
}

const float *row_of(const ElementCertainty &part, std::size_t row) {
  return part.factor.data() + row * (row + 1) / 2;
}

} // namespace

Extrapolation::Extrapolation(const ExtrapolationFile &file)
    : file_(file), basis_(static_cast<int>(file.elements.size()), file.pairs, file.triples),
      density_(file.elements, file.density), features_(basis_) {
  for (const ElementCertainty &part : file_.certainty) {
    std::vector<int> position(static_cast<std::size_t>(columns()), -1);
    for (std::size_t row = 0; row < part.columns.size(); ++row)
      position[std::size_t(part.columns[row])] = static_cast<int>(row);
    position_.push_back(std::move(position));
    std::vector<double> offset(part.size(), 0.0);
    for (std::size_t row = 0; row < part.size(); ++row)
      add_row(double(part.mean[row]), row_of(part, row), row + 1, offset.data());
    offset_.push_back(std::move(offset));
  }
}

double Extrapolation::cutoff() const {
  return std::max(basis_.cutoff(), density_.cutoff());
}

double Extrapolation::cutoff(int a, int b) const {
  double out = std::max(basis_.pairs()[std::size_t(basis_.pair_of(a, b))].grid.high(),
                        basis_.three_body_cutoff(a, b));
  for (const DensityBasis::Block &block : density_.blocks())
    for (std::size_t c = 0; block.center == a && c < block.species.size(); ++c)
      if (block.species[c] == b) out = std::max(out, block.block.channels[c].cutoff);
  return out;
}

/// Split the row of V2 and V3 into what training determined, by ascending row of the factor, and
/// the square of the rest.
double Extrapolation::sort_row(int species) {
  const std::vector<int> &position = position_[std::size_t(species)];
  double unseen = 0;
  entries_.clear();
  for (const int column : features_.touched()) {
    const int row = position[std::size_t(column)];
    const double value = features_[column];
    if (row < 0)
      unseen += value * value;
    else
      entries_.push_back({std::size_t(row), value});
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry &a, const Entry &b) { return a.row < b.row; });
  return unseen;
}

/// Append the density terms, whose rows follow those of V3. What training left untouched stays out:
/// it has no prior width of its own.
void Extrapolation::add_density(int species, const std::vector<SiteNeighbor> &neighbors) {
  const std::vector<int> &position = position_[std::size_t(species)];
  for (const DensityBasis::Block &block : density_.blocks()) {
    if (block.center != species) continue;
    site_.evaluate(block, neighbors);
    for (std::size_t t = 0; t < site_.terms().size(); ++t) {
      const int row = position[std::size_t(basis_.columns() + block.first_column) + t];
      if (row >= 0) entries_.push_back({std::size_t(row), site_.terms()[t]});
    }
  }
}

/// product_ = L' row - L' mean.
void Extrapolation::multiply(int species) {
  const ElementCertainty &part = file_.certainty[std::size_t(species)];
  const std::vector<double> &offset = offset_[std::size_t(species)];
  product_.assign(part.size(), 0.0);
  for (std::size_t k = 0; k < part.size(); ++k) product_[k] = -offset[k];
  std::size_t e = 0;
  for (; e + 4 <= entries_.size(); e += 4) {
    double values[4];
    const float *rows[4];
    for (std::size_t n = 0; n < 4; ++n) {
      values[n] = entries_[e + n].value;
      rows[n] = row_of(part, entries_[e + n].row);
    }
    const std::size_t common = entries_[e].row + 1; // the shortest of the four
    add_four_rows(values, rows, common, product_.data());
    for (std::size_t n = 1; n < 4; ++n)
      add_row(values[n], rows[n] + common, entries_[e + n].row + 1 - common,
              product_.data() + common);
  }
  for (; e < entries_.size(); ++e)
    add_row(entries_[e].value, row_of(part, entries_[e].row), entries_[e].row + 1, product_.data());
}

SiteGrade Extrapolation::evaluate(int species, const std::vector<SiteNeighbor> &neighbors) {
  const ElementCertainty &part = file_.certainty[std::size_t(species)];
  SiteGrade out{0, 0, 0};
  for (const SiteNeighbor &neighbor : neighbors)
    out.excess = std::max(out.excess, shortest(species, neighbor.species) - neighbor.distance);
  features_.evaluate(species, neighbors);
  double variance = sort_row(species) * part.unseen_deviation * part.unseen_deviation;
  add_density(species, neighbors);
  multiply(species);
  for (const double p : product_) variance += p * p;
  out.deviation = std::sqrt(variance);
  out.grade = out.deviation / part.largest_deviation;
  return out;
}

} // namespace lpsnmr
