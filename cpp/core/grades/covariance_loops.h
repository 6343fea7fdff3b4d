// Rows times strips of the covariance factor; included once per instruction set, inside namespace
// and target region of simd/versions.h, by covariance_factor.cpp.

/// Four centres b at once, which fill the registers: out[b] += sum over the columns c of a strip of
/// (sum over rows r of values[r][b] strip[r][c] - offset[c])^2.
///
/// @param strip its lines from `first_row` of the factor on
/// @param row (rows) which lines, and the lines of values
void add_strip(const float *strip, std::size_t first_row, const std::size_t *row, std::size_t rows,
               const double *values, const double *offset, double *out) {
  constexpr std::size_t together = 4;
  Four low[together], high[together];
  for (std::size_t b = 0; b < together; ++b) {
    low[b].load(offset);
    low[b].negate();
    high[b].load(offset + 4);
    high[b].negate();
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const float *const line = strip + 8 * (row[r] - first_row);
    Four left, right;
    left.load_floats(line);
    right.load_floats(line + 4);
    const double *const value = values + r * CovarianceFactor::batch;
    for (std::size_t b = 0; b < together; ++b) {
      add_product(value[b], left, low[b]);
      add_product(value[b], right, high[b]);
    }
  }
  for (std::size_t b = 0; b < together; ++b) {
    Four square;
    multiply(low[b], low[b], square);
    add_product(high[b], high[b], square);
    out[b] += (square[0] + square[1]) + (square[2] + square[3]);
  }
}
