#include "core/efg/expansion.h"

#include <algorithm>
#include <vector>

#define LPSNMR_LOOPS "core/efg/expansion_loops.h"
#define LPSNMR_LOOPS_NAMESPACE efg
#include "core/simd/versions.h"

namespace lpsnmr::efg {
void expand_rows(const neighbors::Neighborhood &neighbors, int n_species, const Radial &radial,
                 int l_max, double *rows, simd::Instructions instructions) {
  LPSNMR_VERSION(density_rows, instructions)(neighbors, n_species, radial, l_max, rows);
}

void expand_density(const neighbors::Neighborhood &neighbors, int n_species, const Radial &radial,
                    int l_max, double *density, simd::Instructions instructions) {
  const int width = harmonic_count(l_max), stride = density_stride(n_species, radial.count);
  std::vector<double> rows(std::size_t(width) * stride);
  expand_rows(neighbors, n_species, radial, l_max, rows.data(), instructions);
  for (int s = 0; s < n_species; ++s)
    for (int n = 0; n < radial.count; ++n)
      for (int lm = 0; lm < width; ++lm)
        *density++ = rows[lm * stride + s * padded_length(radial.count) + n];
}

} // namespace lpsnmr::efg
