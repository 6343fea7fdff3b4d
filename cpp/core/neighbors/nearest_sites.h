// Which of a few sites of a periodic cell are nearest to points.
#pragma once

#include "core/simd/instructions.h"

#include <array>
#include <cstddef>

namespace lpsnmr::neighbors {

/// Find the nearest site of every point; every site against every point.
///
/// Differences are brought into −½ … ½ along each cell vector, so cells must not be so skewed that
/// a nearer image lies outside of that.
///
/// @param points    (n, 3) fractional
/// @param sites     (s, 3) fractional, at least one
/// @param cell      rows are the cell vectors, Å
/// @param nearest   (n) positions of the sites, the first of equally near ones
/// @param distance  (n) Å
void nearest_sites(const double *points, std::size_t n, const double *sites, std::size_t s,
                   const std::array<double, 9> &cell, long *nearest, double *distance,
                   simd::Instructions instructions = simd::chosen_instructions());

} // namespace lpsnmr::neighbors
