#include "core/efg/field.h"

#include "core/efg/expansion.h"

#include <cmath>

#define LPSNMR_LOOPS "core/efg/field_loops.h"
#define LPSNMR_LOOPS_NAMESPACE efg
#include "core/simd/versions.h"

namespace lpsnmr::efg {
Field::Field(const Basis &basis, int rows, const double *weights, simd::Instructions instructions)
    : weigh_(LPSNMR_VERSION(weigh_channels, instructions)),
      sum_(LPSNMR_VERSION(sum_field, instructions)), source_(basis.settings().source),
      cutoff_(basis.settings().field_cutoff), n_species_(basis.species_count()), rows_(rows),
      stride_(padded_length(rows)) {
  const std::size_t channels = basis.field_channels();
  const std::size_t own = std::size_t(n_species_) * source_.count;
  weights_.resize(n_species_);
  for (int s = 0; s < n_species_; ++s) {
    SpeciesWeights &w = weights_[s];
    w.constant.assign(stride_, 0.0);
    for (int r = 0; r < rows; ++r) w.constant[r] = weights[r * channels + s];
    const int position = basis.source_of(s);
    if (position < 0) continue;
    const std::size_t begin = n_species_ + position * 2 * own;
    w.density.assign(2 * own * stride_, 0.0);
    for (std::size_t q = 0; q < 2 * own; ++q)
      for (int r = 0; r < rows; ++r) w.density[q * stride_ + r] = weights[r * channels + begin + q];
  }
}

void Field::describe_source(int species, const neighbors::Neighborhood &neighbors,
                            double *source) const {
  const SpeciesWeights &w = weights_[species];
  std::copy(w.constant.begin(), w.constant.end(), source);
  std::fill_n(source + stride_, 3 * stride_, 0.0);
  if (w.density.empty()) return;
  thread_local std::vector<double> rows;
  rows.resize(std::size_t(harmonic_count(1)) * density_stride(n_species_, source_.count));
  weigh_(neighbors, n_species_, source_, w.density.data(), stride_, rows.data(), source);
}

void Field::sum(const neighbors::Neighborhood &neighbors, const double *sources, int first,
                int count, double *field) const {
  sum_(neighbors, sources, stride_, cutoff_, first, count, field);
}

} // namespace lpsnmr::efg
