#include "core/splines/knot_grid.h"

#include "core/common/error.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace lpsnmr::splines {
namespace {

using Cubic = std::array<double, 4>;

/// (a + b u) * p, dropping the fourth power, which never arises from degrees below three.
Cubic times_linear(const Cubic &p, double a, double b) {
  return {a * p[0], a * p[1] + b * p[0], a * p[2] + b * p[1], a * p[3] + b * p[2]};
}

/// The Cox-de Boor recursion on polynomials of u = r - t_s, for functions s-3 .. s on span s.
std::array<Cubic, 4> span_polynomials(const std::vector<double> &t, std::size_t s) {
  std::array<Cubic, 4> functions{}; // functions[k] is function s - degree + k of the current degree
  functions[0] = {1, 0, 0, 0};
  for (std::size_t degree = 1; degree <= 3; ++degree) {
    std::array<Cubic, 4> next{};
    for (std::size_t k = 0; k <= degree; ++k) {
      const std::size_t i = s - degree + k; // function i of this degree
      if (k > 0) {                          // function i of the degree below
        const double width = t[i + degree] - t[i];
        const Cubic part = times_linear(functions[k - 1], (t[s] - t[i]) / width, 1.0 / width);
        for (int c = 0; c < 4; ++c) next[k][c] += part[c];
      }
      if (k < degree) { // function i + 1 of the degree below
        const double width = t[i + degree + 1] - t[i + 1];
        const Cubic part =
            times_linear(functions[k], (t[i + degree + 1] - t[s]) / width, -1.0 / width);
        for (int c = 0; c < 4; ++c) next[k][c] += part[c];
      }
    }
    functions = next;
  }
  return functions;
}

} // namespace

KnotGrid::KnotGrid(std::vector<double> knots) : knots_(std::move(knots)) {
  const std::size_t n = knots_.size();
  if (n < 8) throw Error("a cubic spline needs at least 8 knots, got " + std::to_string(n));
  for (std::size_t i = 0; i < n; ++i) {
    if (!std::isfinite(knots_[i])) throw Error("knot " + std::to_string(i + 1) + " is not finite");
    if (i > 0 && knots_[i] < knots_[i - 1])
      throw Error("knots must not decrease, but knot " + std::to_string(i + 1) + " is " +
                  std::to_string(knots_[i]) + " after " + std::to_string(knots_[i - 1]));
    if (i > 3 && knots_[i] == knots_[i - 4])
      throw Error("knot value " + std::to_string(knots_[i]) + " occurs more than four times");
  }
  low_ = knots_[3];
  high_ = knots_[n - 4];
  if (!(low_ < high_)) throw Error("the knots span no interval");

  double shortest = high_ - low_;
  for (std::size_t s = 3; s + 4 < n; ++s) {
    const double width = knots_[s + 1] - knots_[s];
    if (width <= 0) continue;
    shortest = std::min(shortest, width);
    start_.push_back(knots_[s]);
    offset_.push_back(static_cast<int>(s) - 3);
    const std::array<Cubic, 4> functions = span_polynomials(knots_, s);
    for (int power = 0; power < 4; ++power)
      for (int k = 0; k < 4; ++k) polynomials_.push_back(functions[k][power]);
  }
  spans_per_length_ = double(start_.size()) / (high_ - low_);
  uniform_ = true;
  for (std::size_t s = 0; s < start_.size(); ++s)
    if (std::abs(start_[s] - (low_ + double(s) / spans_per_length_)) > 1e-12 * (high_ - low_))
      uniform_ = false;
  const double wanted = std::ceil((high_ - low_) / shortest);
  const std::size_t cells = static_cast<std::size_t>(std::clamp(wanted, 1.0, 4096.0));
  cells_per_length_ = double(cells) / (high_ - low_);
  lookup_.resize(cells);
  std::size_t s = 0;
  for (std::size_t c = 0; c < cells; ++c) {
    // one step to the left, so that rounding of the cell index never starts beyond the span
    const double left = low_ + (double(c) - 0.5) / cells_per_length_;
    while (s + 1 < start_.size() && start_[s + 1] <= left) ++s;
    lookup_[c] = static_cast<int>(s);
  }
}

} // namespace lpsnmr::splines
