// The covariance of the fit for centres of one element, laid out to be read once for several.
#pragma once

#include "core/common/aligned.h"
#include "core/grades/ufx_file.h"
#include "core/simd/instructions.h"

#include <cstddef>
#include <vector>

namespace lpsnmr::grades {

/// Factor L and mean m of an ElementCertainty; squares |L' (x - m)| of several rows x at once.
class CovarianceFactor {
public:
  /// Rows that are multiplied together. Which rows they are does not change any result.
  static constexpr std::size_t batch = 8;

  explicit CovarianceFactor(const ElementCertainty &part,
                            simd::Instructions instructions = simd::chosen_instructions());

  std::size_t size() const { return size_; }
  double bytes() const { return double(strips_.size() * sizeof(float)); }

  /// out[b] += |L' (x_b - m)|^2 for b < batch.
  ///
  /// @param used   entries of x that may differ from zero, ascending
  /// @param values (used, batch) these entries
  void add_squares(const std::vector<std::size_t> &used, const double *values, double *out) const;

private:
  // Columns of L in strips of eight, each from the row of its diagonal on, so that one strip is
  // read in sequence: (strip, row, 8), zero above the diagonal.
  static constexpr std::size_t width = 8;
  std::size_t strip_start(std::size_t strip) const;

  using AddStrip = void (*)(const float *, std::size_t, const std::size_t *, std::size_t,
                            const double *, const double *, double *);
  AddStrip add_strip_;
  std::size_t size_;
  AlignedVector<float> strips_;
  AlignedVector<double> offset_; // L' m, zero beyond size()
};

} // namespace lpsnmr::grades
