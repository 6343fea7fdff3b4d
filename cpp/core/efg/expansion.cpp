#include "core/efg/expansion.h"

#include <vector>

namespace lpsnmr::efg {
namespace {

#if defined(LPSNMR_EFG_VERSIONS)
LPSNMR_EFG_AVX512 void dispatch(const neighbors::Neighborhood &neighbors, int n_species,
                                const Radial &radial, int l_max, double *rows) {
  density_rows<simd::Wide>(neighbors, n_species, radial, l_max, rows);
}
LPSNMR_EFG_AVX2 void dispatch(const neighbors::Neighborhood &neighbors, int n_species,
                              const Radial &radial, int l_max, double *rows) {
  density_rows<simd::Wide>(neighbors, n_species, radial, l_max, rows);
}
#endif
LPSNMR_EFG_BASE void dispatch(const neighbors::Neighborhood &neighbors, int n_species,
                              const Radial &radial, int l_max, double *rows) {
  density_rows<simd::Narrow>(neighbors, n_species, radial, l_max, rows);
}

} // namespace

void expand_rows(const neighbors::Neighborhood &neighbors, int n_species, const Radial &radial,
                 int l_max, double *rows) {
  dispatch(neighbors, n_species, radial, l_max, rows);
}

void expand_density(const neighbors::Neighborhood &neighbors, int n_species, const Radial &radial,
                    int l_max, double *density) {
  const int width = harmonic_count(l_max), stride = density_stride(n_species, radial.count);
  std::vector<double> rows(std::size_t(width) * stride);
  expand_rows(neighbors, n_species, radial, l_max, rows.data());
  for (int s = 0; s < n_species; ++s)
    for (int n = 0; n < radial.count; ++n)
      for (int lm = 0; lm < width; ++lm)
        *density++ = rows[lm * stride + s * padded_length(radial.count) + n];
}

} // namespace lpsnmr::efg
