#include "core/splines/knot_refinement.h"

#include <algorithm>
#include <cmath>

namespace lpsnmr::splines {
namespace {

/// Insert x, which must not be a knot yet, into knots and the coefficients of a cubic spline.
void insert_knot(std::vector<double> &knots, std::vector<double> &coefficients, double x) {
  const std::size_t k =
      std::size_t(std::upper_bound(knots.begin(), knots.end(), x) - knots.begin());
  std::vector<double> out(coefficients.size() + 1); // x goes before knot k
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i + 4 <= k)
      out[i] = coefficients[i];
    else if (i >= k)
      out[i] = coefficients[i - 1];
    else {
      const double share = (x - knots[i]) / (knots[i + 3] - knots[i]);
      out[i] = share * coefficients[i] + (1.0 - share) * coefficients[i - 1];
    }
  }
  coefficients = out;
  knots.insert(knots.begin() + std::ptrdiff_t(k), x);
}

/// Knots of `to` that `from` lacks.
std::vector<double> missing_knots(const KnotGrid &from, const KnotGrid &to) {
  std::vector<double> out;
  std::set_difference(to.knots().begin(), to.knots().end(), from.knots().begin(),
                      from.knots().end(), std::back_inserter(out));
  return out;
}

} // namespace

KnotGrid uniform_refinement(const KnotGrid &grid) {
  const std::vector<double> &knots = grid.knots();
  if (grid.uniform() || grid.spans() + 7 != knots.size()) return grid;
  double shortest = grid.high() - grid.low();
  for (std::size_t s = 3; s + 4 < knots.size(); ++s)
    shortest = std::min(shortest, knots[s + 1] - knots[s]);
  const double spans = std::round((grid.high() - grid.low()) / shortest);
  if (spans > 2.0 * double(grid.spans()) + 8.0) return grid; // the table would outgrow the caches
  const double width = (grid.high() - grid.low()) / spans;
  std::vector<double> out(knots.begin(), knots.begin() + 4);
  for (std::size_t s = 3; s + 4 < knots.size(); ++s) {
    const double parts = (knots[s + 1] - knots[s]) / width;
    if (std::abs(parts - std::round(parts)) > 1e-9) return grid;
    for (double part = 1; part < std::round(parts); ++part) out.push_back(knots[s] + part * width);
    out.push_back(knots[s + 1]);
  }
  out.insert(out.end(), knots.end() - 3, knots.end());
  KnotGrid refinement(out);
  return refinement.uniform() ? refinement : grid;
}

CoefficientBlock refined(const CoefficientBlock &block, int axis, const KnotGrid &from,
                         const KnotGrid &to) {
  const std::vector<double> more = missing_knots(from, to);
  if (more.empty()) return block;
  CoefficientBlock out = block;
  out.size[std::size_t(axis)] = to.functions();
  const std::size_t stride = axis == 2   ? 1
                             : axis == 1 ? std::size_t(block.size[2])
                                         : std::size_t(block.size[1]) * block.size[2];
  const std::size_t n = std::size_t(block.size[std::size_t(axis)]);
  const std::size_t n_out = std::size_t(to.functions());
  out.values.assign(block.values.size() / n * n_out + 3, 0.0);
  std::vector<double> line(n);
  for (std::size_t outer = 0; outer < block.values.size() / (n * stride); ++outer)
    for (std::size_t inner = 0; inner < stride; ++inner) {
      line.resize(n);
      for (std::size_t k = 0; k < n; ++k) line[k] = block.values[(outer * n + k) * stride + inner];
      std::vector<double> knots = from.knots();
      for (double x : more) insert_knot(knots, line, x);
      for (std::size_t k = 0; k < n_out; ++k)
        out.values[(outer * n_out + k) * stride + inner] = line[k];
    }
  return out;
}

} // namespace lpsnmr::splines
