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

const float *row_of(const ElementCertainty &part, std::size_t row) {
  return part.factor.data() + row * (row + 1) / 2;
}

} // namespace

Extrapolation::Extrapolation(const ExtrapolationFile &file)
    : file_(file), basis_(static_cast<int>(file.elements.size()), file.pairs, file.triples),
      features_(basis_) {
  for (const ElementCertainty &part : file_.certainty) {
    std::vector<int> position(static_cast<std::size_t>(basis_.columns()), -1);
    for (std::size_t row = 0; row < part.columns.size(); ++row)
      position[std::size_t(part.columns[row])] = static_cast<int>(row);
    position_.push_back(std::move(position));
    std::vector<double> offset(part.size(), 0.0);
    for (std::size_t row = 0; row < part.size(); ++row)
      add_row(double(part.mean[row]), row_of(part, row), row + 1, offset.data());
    offset_.push_back(std::move(offset));
  }
}

SiteGrade Extrapolation::evaluate(int species, const std::vector<SiteNeighbor> &neighbors) {
  const ElementCertainty &part = file_.certainty[std::size_t(species)];
  const std::vector<int> &position = position_[std::size_t(species)];
  SiteGrade out{0, 0, 0};
  for (const SiteNeighbor &neighbor : neighbors)
    out.excess = std::max(out.excess, shortest(species, neighbor.species) - neighbor.distance);

  features_.evaluate(species, neighbors);
  product_.assign(part.size(), 0.0);
  double unseen = 0;
  for (const int column : features_.touched()) {
    const int row = position[std::size_t(column)];
    const double value = features_[column];
    if (row < 0)
      unseen += value * value;
    else
      add_row(value, row_of(part, std::size_t(row)), std::size_t(row) + 1, product_.data());
  }
  double variance = unseen * part.unseen_deviation * part.unseen_deviation;
  const std::vector<double> &offset = offset_[std::size_t(species)];
  for (std::size_t k = 0; k < part.size(); ++k)
    variance += (product_[k] - offset[k]) * (product_[k] - offset[k]);
  out.deviation = std::sqrt(variance);
  out.grade = out.deviation / part.largest_deviation;
  return out;
}

} // namespace lpsnmr
