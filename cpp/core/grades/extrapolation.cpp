#include "core/grades/extrapolation.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lpsnmr::grades {

Extrapolation::Extrapolation(UfxFile file)
    : file_(std::move(file)),
      basis_(static_cast<int>(file_.elements.size()), file_.pairs, file_.triples),
      density_(file_.elements, file_.density), features_(basis_) {
  for (ElementCertainty &part : file_.certainty) {
    std::vector<int> position(static_cast<std::size_t>(columns()), -1);
    for (std::size_t row = 0; row < part.columns.size(); ++row)
      position[std::size_t(part.columns[row])] = static_cast<int>(row);
    position_.push_back(std::move(position));
    factor_.emplace_back(part);
    std::vector<float>().swap(part.factor);
    Batch batch;
    batch.rows.assign(part.size() * CovarianceFactor::batch, 0.0);
    batch.used.assign(part.size(), 0);
    batch_.push_back(std::move(batch));
  }
}

double Extrapolation::cutoff() const {
  return std::max(basis_.cutoff(), density_.cutoff());
}

double Extrapolation::cutoff(int a, int b) const {
  double out = std::max(basis_.pairs()[std::size_t(basis_.pair_of(a, b))].grid.high(),
                        basis_.three_body_cutoff(a, b));
  for (const density::Basis::BlockColumns &block : density_.blocks())
    for (std::size_t c = 0; block.center == a && c < block.species.size(); ++c)
      if (block.species[c] == b) out = std::max(out, block.block.channels[c].cutoff);
  return out;
}

double Extrapolation::bytes() const {
  double out = 0;
  for (std::size_t e = 0; e < factor_.size(); ++e)
    out += factor_[e].bytes() + double(position_[e].size() * sizeof(int)) +
           double(batch_[e].rows.size() * sizeof(double) + batch_[e].used.size());
  return out + double(values_.capacity() * sizeof(double) + used_.capacity() * sizeof(std::size_t));
}

/// Set one entry of the row of the centre that comes last in its batch.
void Extrapolation::put(int species, std::size_t row, double value) {
  Batch &batch = batch_[std::size_t(species)];
  batch.rows[row * CovarianceFactor::batch + batch.taken.size() - 1] = value;
  batch.used[row] = 1;
}

/// Put the entries of V2 and V3 that training determined; return the square of the rest.
double Extrapolation::add_splines(int species) {
  const std::vector<int> &position = position_[std::size_t(species)];
  double unseen = 0;
  for (const int column : features_.touched()) {
    const int row = position[std::size_t(column)];
    const double value = features_[column];
    if (row < 0)
      unseen += value * value;
    else
      put(species, std::size_t(row), value);
  }
  return unseen;
}

/// Put the density terms. What training left untouched stays out: it has no prior width of its own.
void Extrapolation::add_density(int species, const neighbors::Neighborhood &neighbors) {
  const std::vector<int> &position = position_[std::size_t(species)];
  for (const density::Basis::BlockColumns &block : density_.blocks()) {
    if (block.center != species) continue;
    site_.evaluate(block, neighbors);
    for (std::size_t t = 0; t < site_.terms().size(); ++t) {
      const int row = position[std::size_t(basis_.columns() + block.first_column) + t];
      if (row >= 0) put(species, std::size_t(row), site_.terms()[t]);
    }
  }
}

/// Grade the centres that wait and empty the batch.
void Extrapolation::multiply(int species) {
  constexpr std::size_t size = CovarianceFactor::batch;
  Batch &batch = batch_[std::size_t(species)];
  used_.clear();
  values_.clear();
  for (std::size_t row = 0; row < batch.used.size(); ++row) {
    if (!batch.used[row]) continue;
    used_.push_back(row);
    const auto entries = batch.rows.begin() + std::ptrdiff_t(row * size);
    values_.insert(values_.end(), entries, entries + size);
    std::fill_n(entries, size, 0.0);
    batch.used[row] = 0;
  }
  double variance[size] = {};
  for (std::size_t b = 0; b < batch.taken.size(); ++b)
    variance[b] = grades_[batch.taken[b]].deviation;
  factor_[std::size_t(species)].add_squares(used_, values_.data(), variance);
  for (std::size_t b = 0; b < batch.taken.size(); ++b) {
    SiteGrade &grade = grades_[batch.taken[b]];
    grade.deviation = std::sqrt(variance[b]);
    grade.grade = grade.deviation / file_.certainty[std::size_t(species)].largest_deviation;
  }
  batch.taken.clear();
}

void Extrapolation::add(int species, const neighbors::Neighborhood &neighbors) {
  std::vector<std::size_t> &taken = batch_[std::size_t(species)].taken;
  taken.push_back(grades_.size());
  grades_.push_back({0, 0, 0});
  SiteGrade &grade = grades_.back();
  for (std::size_t e = 0; e < neighbors.size; ++e)
    grade.excess =
        std::max(grade.excess, shortest(species, neighbors.species[e]) - neighbors.distance[e]);
  features_.evaluate(species, neighbors);
  const double unseen = file_.certainty[std::size_t(species)].unseen_deviation;
  grade.deviation = add_splines(species) * unseen * unseen;
  add_density(species, neighbors);
  if (taken.size() == CovarianceFactor::batch) multiply(species);
}

std::vector<SiteGrade> Extrapolation::finish() {
  for (std::size_t e = 0; e < batch_.size(); ++e)
    if (!batch_[e].taken.empty()) multiply(static_cast<int>(e));
  return std::exchange(grades_, {});
}

void Extrapolation::discard() {
  grades_.clear();
  for (Batch &batch : batch_) {
    if (batch.taken.empty()) continue;
    batch.taken.clear();
    std::fill(batch.rows.begin(), batch.rows.end(), 0.0);
    std::fill(batch.used.begin(), batch.used.end(), 0);
  }
}

} // namespace lpsnmr::grades
