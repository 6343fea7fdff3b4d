// V3 as polynomials on cells of three knots, 64 coefficients each, made when they are first
// visited.
#pragma once

#include "aligned.h"
#include "ufp_tables.h"

#include <cstddef>
#include <vector>

namespace lpsnmr {

/// The blocks that a run has come across lie one after another, each on cache lines of its own.
/// Those of a crystal are few, so that they stay in the cache where all would not fit.
class UfpBlocks {
public:
  static constexpr std::size_t size = 64; ///< coefficients, as UfpTables::polynomial gives them

  explicit UfpBlocks(const UfpTables &tables);

  /// The coefficients of a cell of a centre; valid until the next call.
  const double *find(const UfpTables &tables, int center, int cell) {
    int &number = numbers_[std::size_t(center)][std::size_t(cell)];
    if (__builtin_expect(number < 0, 0)) number = make(tables, center, cell);
    return values_.data() + size * std::size_t(number);
  }

  double memory_usage() const;

private:
  int make(const UfpTables &tables, int center, int cell);

  std::vector<std::vector<int>> numbers_; // (species, cell); -1: not made yet
  AlignedVector<double> values_;          // number 0 is all zero
};

} // namespace lpsnmr
