// Products of channels; included once per instruction set, inside namespace
// and target region of simd/versions.h, by features.cpp.

/// to[k] += value · a[k] · b[k]
void add_products(double value, const double *a, const double *b, std::size_t count, double *to) {
  for (std::size_t k = 0; k < count; ++k) to[k] += value * a[k] * b[k];
}
