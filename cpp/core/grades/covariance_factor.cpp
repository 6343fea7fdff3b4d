#include "core/grades/covariance_factor.h"

#include "core/simd/vector_clones.h"

#include <algorithm>

namespace lpsnmr::grades {
namespace {

typedef double Four __attribute__((vector_size(32), may_alias));
typedef float FourFloats __attribute__((vector_size(16), may_alias));

/// Four centres b at once, which fill the registers: out[b] += sum over the columns c of a strip of
/// (sum over rows r of values[r][b] strip[r][c] - offset[c])^2.
///
/// @param strip its lines from `first_row` of the factor on
/// @param row (rows) which lines, and the lines of values
LPSNMR_CLONES void add_strip(const float *strip, std::size_t first_row, const std::size_t *row,
                             std::size_t rows, const double *values, const double *offset,
                             double *out) {
  constexpr std::size_t together = 4;
  Four low[together], high[together];
  for (std::size_t b = 0; b < together; ++b) {
    low[b] = -*reinterpret_cast<const Four *>(offset);
    high[b] = -*reinterpret_cast<const Four *>(offset + 4);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const auto *const line = reinterpret_cast<const FourFloats *>(strip + 8 * (row[r] - first_row));
    const Four left = __builtin_convertvector(line[0], Four);
    const Four right = __builtin_convertvector(line[1], Four);
    const double *const value = values + r * CovarianceFactor::batch;
    for (std::size_t b = 0; b < together; ++b) {
      low[b] += value[b] * left;
      high[b] += value[b] * right;
    }
  }
  for (std::size_t b = 0; b < together; ++b) {
    const Four square = low[b] * low[b] + high[b] * high[b];
    out[b] += (square[0] + square[1]) + (square[2] + square[3]);
  }
}

} // namespace

CovarianceFactor::CovarianceFactor(const ElementCertainty &part) : size_(part.size()) {
  const std::size_t strips = (size_ + width - 1) / width;
  strips_.assign(strip_start(strips), 0.0f);
  offset_.assign(strips * width, 0.0);
  const float *entry = part.factor.data();
  for (std::size_t row = 0; row < size_; ++row)
    for (std::size_t column = 0; column <= row; ++column, ++entry) {
      const std::size_t strip = column / width;
      strips_[strip_start(strip) + (row - strip * width) * width + column % width] = *entry;
      offset_[column] += double(part.mean[row]) * double(*entry);
    }
}

std::size_t CovarianceFactor::strip_start(std::size_t strip) const {
  // the strips before have size_, size_ - 8, ... lines
  return width * (strip * size_ - width * (strip * (strip - 1) / 2));
}

void CovarianceFactor::add_squares(const std::vector<std::size_t> &used, const double *values,
                                   double *out) const {
  std::size_t first = 0; // of the used rows that reach the strip
  for (std::size_t strip = 0; strip * width < size_; ++strip) {
    while (first < used.size() && used[first] < strip * width) ++first;
    for (std::size_t half = 0; half < batch; half += 4)
      add_strip(strips_.data() + strip_start(strip), strip * width, used.data() + first,
                used.size() - first, values + first * batch + half, offset_.data() + strip * width,
                out + half);
  }
}

} // namespace lpsnmr::grades
