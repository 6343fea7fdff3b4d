// Sources and their fields; included once per instruction set, inside namespace
// and target region of simd/versions.h, by field.cpp.

#include "core/efg/expansion_loops.h"

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
LPSNMR_INLINE void sum_rows(const neighbors::Neighborhood &neighbors, const double *sources,
                            std::size_t stride, double cutoff, Four *out) {
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
      Four charge, along_y, along_z, along_x, along = {}, radial = {};
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

/// Field::sum.
void sum_field(const neighbors::Neighborhood &neighbors, const double *sources, std::size_t stride,
               double cutoff, int first, int count, double *field) {
  alignas(32) double four[4];
  for (int row = 0; row < count; row += 4) {
    Four out[3] = {};
    sum_rows(neighbors, sources + first + row, stride, cutoff, out);
    for (int c = 0; c < 3; ++c) {
      out[c].store(four);
      for (int k = 0; k < std::min(4, count - row); ++k) field[3 * (row + k) + c] = four[k];
    }
  }
}

/// Add the weighted charge and dipole of the density around a source.
void weigh_channels(const neighbors::Neighborhood &neighbors, int n_species, const Radial &radial,
                    const double *weights, std::size_t stride, double *rows, double *source) {
  const int padded = padded_length(radial.count), step = density_stride(n_species, radial.count);
  density_rows(neighbors, n_species, radial, 1, rows);
  const double *const dipole_weights = weights + n_species * radial.count * stride;
  for (std::size_t row = 0; row < stride; row += 4) {
    Four sum[4];
    for (int c = 0; c < 4; ++c) sum[c].load(source + c * stride + row);
    std::size_t at = row;
    for (int s = 0; s < n_species; ++s)
      for (int n = 0; n < radial.count; ++n, at += stride) {
        Four weight;
        const double *density = rows + s * padded + n;
        weight.load(weights + at);
        add_product(density[0], weight, sum[0]);
        weight.load(dipole_weights + at);
        for (int c = 1; c < 4; ++c) add_product(density[c * step], weight, sum[c]);
      }
    for (int c = 0; c < 4; ++c) sum[c].store(source + c * stride + row);
  }
}
