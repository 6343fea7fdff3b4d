// The same spline on more knots: inserting knots changes no value (Boehm's algorithm).
//
// Knots left out of a regular grid, as fits of UF potentials do towards the cutoff, are put back,
// so that the inner loops meet uniform knots.
#pragma once

#include "core/splines/knot_grid.h"

#include <array>
#include <vector>

namespace lpsnmr::splines {

/// A knot vector with the shortest spacing of `grid` throughout, or `grid` itself where its knots
/// are not whole multiples of one spacing apart, repeat inside, or would more than about double.
KnotGrid uniform_refinement(const KnotGrid &grid);

/// Coefficients of a product of three splines, [i][j][k].
struct CoefficientBlock {
  std::array<int, 3> size;
  std::vector<double> values;

  double at(int i, int j, int k) const {
    return values[(std::size_t(i) * size[1] + j) * size[2] + k];
  }
};

/// Express one axis on a refinement of its knots.
CoefficientBlock refined(const CoefficientBlock &block, int axis, const KnotGrid &from,
                         const KnotGrid &to);

} // namespace lpsnmr::splines
