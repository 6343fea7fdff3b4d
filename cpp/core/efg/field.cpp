#include "core/efg/field.h"

#include "core/efg/expansion.h"

#include <cmath>

namespace lpsnmr::efg {
namespace {

constexpr double softening_squared = 1.0; // Å²

/// g of `lanes` distances and its slope divided by the distance, zero from the cutoff on.
template <int lanes>
LPSNMR_INLINE void kernel(const double *squared, double cutoff, double *g, double *slope) {
  const double inverse = 1.0 / (cutoff * cutoff);
  for (int k = 0; k < lanes; ++k) {
    const double s = std::max(0.0, 1.0 - squared[k] * inverse);
    const double h = 1.0 / (squared[k] + softening_squared);
    const double part = h * std::sqrt(h) * s * s;
    g[k] = part * s;
    slope[k] = -part * (6.0 * inverse + 3.0 * s * h);
  }
}

/// Sum four rows over the neighbours; out[c] are the four rows of component c.
template <class V>
LPSNMR_INLINE void sum_rows(const neighbors::Neighborhood &neighbors, const double *sources,
                            std::size_t stride, double cutoff, V *out) {
  constexpr int lanes = 4;
  for (std::size_t begin = 0; begin < neighbors.size; begin += lanes) {
    const int filled = static_cast<int>(std::min<std::size_t>(lanes, neighbors.size - begin));
    double squared[lanes], g[lanes], slope[lanes];
    for (int k = 0; k < lanes; ++k) {
      const double r = neighbors.distance[begin + (k < filled ? k : 0)];
      squared[k] = r * r;
    }
    kernel<lanes>(squared, cutoff, g, slope);
    for (int k = 0; k < filled; ++k) {
      const double *d = neighbors.vector + 3 * (begin + k);
      const double *source = sources + neighbors.slot[begin + k] * 4 * stride;
      V charge, along_y, along_z, along_x, along = {}, radial = {};
      charge.load(source);
      along_y.load(source + stride);
      along_z.load(source + 2 * stride);
      along_x.load(source + 3 * stride);
      add_product(d[1], along_y, along);
      add_product(d[2], along_z, along);
      add_product(d[0], along_x, along);
      add_product(g[k], charge, radial);
      add_product(slope[k], along, radial);
      add_product(d[1], radial, out[0]);
      add_product(g[k], along_y, out[0]);
      add_product(d[2], radial, out[1]);
      add_product(g[k], along_z, out[1]);
      add_product(d[0], radial, out[2]);
      add_product(g[k], along_x, out[2]);
    }
  }
}

template <class V>
LPSNMR_INLINE void sum_field(const neighbors::Neighborhood &neighbors, const double *sources,
                             std::size_t stride, double cutoff, int first, int count,
                             double *field) {
  alignas(32) double four[4];
  for (int row = 0; row < count; row += 4) {
    V out[3] = {};
    sum_rows<V>(neighbors, sources + first + row, stride, cutoff, out);
    for (int c = 0; c < 3; ++c) {
      out[c].store(four);
      for (int k = 0; k < std::min(4, count - row); ++k) field[3 * (row + k) + c] = four[k];
    }
  }
}

/// Add the weighted charge and dipole of the density around a source.
template <class V>
LPSNMR_INLINE void weigh_channels(const neighbors::Neighborhood &neighbors, int n_species,
                                  const Radial &radial, const double *weights, std::size_t stride,
                                  double *rows, double *source) {
  const int padded = padded_length(radial.count), step = density_stride(n_species, radial.count);
  density_rows<V>(neighbors, n_species, radial, 1, rows);
  const double *const dipole_weights = weights + n_species * radial.count * stride;
  for (std::size_t row = 0; row < stride; row += 4) {
    V sum[4];
    for (int c = 0; c < 4; ++c) sum[c].load(source + c * stride + row);
    std::size_t at = row;
    for (int s = 0; s < n_species; ++s)
      for (int n = 0; n < radial.count; ++n, at += stride) {
        V weight;
        const double *density = rows + s * padded + n;
        weight.load(weights + at);
        add_product(density[0], weight, sum[0]);
        weight.load(dipole_weights + at);
        for (int c = 1; c < 4; ++c) add_product(density[c * step], weight, sum[c]);
      }
    for (int c = 0; c < 4; ++c) sum[c].store(source + c * stride + row);
  }
}

#if defined(LPSNMR_EFG_VERSIONS)
LPSNMR_EFG_AVX512 void dispatch(const neighbors::Neighborhood &neighbors, const double *sources,
                                std::size_t stride, double cutoff, int first, int count,
                                double *field) {
  sum_field<simd::Wide>(neighbors, sources, stride, cutoff, first, count, field);
}
LPSNMR_EFG_AVX2 void dispatch(const neighbors::Neighborhood &neighbors, const double *sources,
                              std::size_t stride, double cutoff, int first, int count,
                              double *field) {
  sum_field<simd::Wide>(neighbors, sources, stride, cutoff, first, count, field);
}
LPSNMR_EFG_AVX512 void dispatch(const neighbors::Neighborhood &neighbors, int n_species,
                                const Radial &radial, const double *weights, std::size_t stride,
                                double *rows, double *source) {
  weigh_channels<simd::Wide>(neighbors, n_species, radial, weights, stride, rows, source);
}
LPSNMR_EFG_AVX2 void dispatch(const neighbors::Neighborhood &neighbors, int n_species,
                              const Radial &radial, const double *weights, std::size_t stride,
                              double *rows, double *source) {
  weigh_channels<simd::Wide>(neighbors, n_species, radial, weights, stride, rows, source);
}
#endif
LPSNMR_EFG_BASE void dispatch(const neighbors::Neighborhood &neighbors, int n_species,
                              const Radial &radial, const double *weights, std::size_t stride,
                              double *rows, double *source) {
  weigh_channels<simd::Narrow>(neighbors, n_species, radial, weights, stride, rows, source);
}
LPSNMR_EFG_BASE void dispatch(const neighbors::Neighborhood &neighbors, const double *sources,
                              std::size_t stride, double cutoff, int first, int count,
                              double *field) {
  sum_field<simd::Narrow>(neighbors, sources, stride, cutoff, first, count, field);
}

} // namespace

Field::Field(const Basis &basis, int rows, const double *weights)
    : source_(basis.settings().source), cutoff_(basis.settings().field_cutoff),
      n_species_(basis.species_count()), rows_(rows), stride_(padded_length(rows)) {
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
  dispatch(neighbors, n_species_, source_, w.density.data(), stride_, rows.data(), source);
}

void Field::sum(const neighbors::Neighborhood &neighbors, const double *sources, int first,
                int count, double *field) const {
  dispatch(neighbors, sources, stride_, cutoff_, first, count, field);
}

} // namespace lpsnmr::efg
