// Distances of sites from a point; included once per instruction set, inside namespace and target
// region of simd/versions.h, by nearest_sites.cpp.

constexpr double round_to_integer = 6755399441055744.0; // 1.5 · 2^52: adding it rounds

/// Squared distances of sites from a point.
void squared_distances(const double *point, const double *sites, std::size_t count,
                       const double *cell, double *squares) {
  for (std::size_t k = 0; k < count; ++k) {
    double d[3], x[3];
    for (int a = 0; a < 3; ++a) {
      d[a] = sites[3 * k + a] - point[a];
      d[a] -= (d[a] + round_to_integer) - round_to_integer;
    }
    for (int c = 0; c < 3; ++c) x[c] = d[0] * cell[c] + d[1] * cell[3 + c] + d[2] * cell[6 + c];
    squares[k] = x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
  }
}
