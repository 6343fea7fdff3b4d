// V3 as polynomials on cells of three knots, 64 coefficients each, made when they are first
// visited.
#pragma once

#include "core/common/aligned.h"
#include "core/ufp/tables.h"

#include <cstddef>
#include <vector>

namespace lpsnmr::ufp {

/// The blocks that a run has come across lie one after another, each on cache lines of its own.
/// Those of a crystal are few, so that they stay in the cache where all would not fit.
class CellPolynomials {
public:
  static constexpr std::size_t size = 64; ///< coefficients, as Tables::polynomial gives them

  explicit CellPolynomials(const Tables &tables);

  /// The coefficients of a cell of a centre; valid until the next call.
  const double *find(const Tables &tables, int center, int cell) {
    int &number = numbers_[std::size_t(center)][std::size_t(cell)];
    if (__builtin_expect(number < 0, 0)) number = make(tables, center, cell);
    return values_.data() + size * std::size_t(number);
  }

  double memory_usage() const;

private:
  int make(const Tables &tables, int center, int cell);

  std::vector<std::vector<int>> numbers_; // (species, cell); -1: not made yet
  AlignedVector<double> values_;          // number 0 is all zero
};

} // namespace lpsnmr::ufp
