#include "core/grades/covariance_factor.h"

#include <algorithm>

#define LPSNMR_LOOPS "core/grades/covariance_loops.h"
#define LPSNMR_LOOPS_NAMESPACE grades
#include "core/simd/versions.h"

namespace lpsnmr::grades {
CovarianceFactor::CovarianceFactor(const ElementCertainty &part, simd::Instructions instructions)
    : add_strip_(LPSNMR_VERSION(add_strip, instructions)), size_(part.size()) {
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
      add_strip_(strips_.data() + strip_start(strip), strip * width, used.data() + first,
                 used.size() - first, values + first * batch + half, offset_.data() + strip * width,
                 out + half);
  }
}

} // namespace lpsnmr::grades
