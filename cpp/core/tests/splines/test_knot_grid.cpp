#include "core/tests/support/check.h"
#include "core/tests/support/slow_spline.h"

#include "core/common/error.h"
#include "core/splines/knot_grid.h"

#include <random>
#include <vector>

using lpsnmr::splines::BasisValues;
using lpsnmr::splines::KnotGrid;

static bool refuses(std::vector<double> knots) {
  try {
    KnotGrid grid(std::move(knots));
    return false;
  } catch (const lpsnmr::Error &) {
    return true;
  }
}

static void against_recursion(const std::vector<double> &knots) {
  const KnotGrid grid(knots);
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(grid.low(), grid.high());
  std::vector<double> radii(knots);
  for (int n = 0; n < 500; ++n) radii.push_back(uniform(random));
  for (double r : radii) {
    if (r < grid.low() || r > grid.high()) continue;
    BasisValues b;
    grid.evaluate(r, b);
    double sum = 0, slope = 0;
    for (int k = 0; k < 4; ++k) {
      const std::size_t i = std::size_t(b.offset + k);
      CHECK_CLOSE(b.value[k], slow_basis(knots, i, 3, r), 1e-13);
      sum += b.value[k];
      slope += b.derivative[k];
    }
    CHECK_CLOSE(sum, 1.0, 1e-13); // partition of unity on [t_3, t_{K-4}]
    CHECK_CLOSE(slope, 0.0, 1e-11);
    // a five-point difference inside one span is exact for a cubic
    const std::size_t span = grid.span(r);
    const double end = span + 1 < grid.spans() ? grid.start(span + 1) : grid.high();
    const double h = (end - grid.start(span)) / 16;
    if (r - 2 * h <= grid.start(span) || r + 2 * h >= end) continue;
    for (int k = 0; k < 4; ++k) {
      const auto f = [&](double x) { return slow_basis(knots, std::size_t(b.offset + k), 3, x); };
      const double numeric = (f(r - 2 * h) - 8 * f(r - h) + 8 * f(r + h) - f(r + 2 * h)) / (12 * h);
      CHECK_CLOSE(b.derivative[k], numeric, 1e-10 * (1 + std::abs(numeric)));
    }
  }
}

static void linear_below_the_first_knot() {
  const KnotGrid grid({1, 1, 1, 1, 1.5, 2, 2, 2, 2});
  BasisValues at, below;
  grid.evaluate(1.0, at);
  grid.evaluate(0.4, below);
  for (int k = 0; k < 4; ++k) {
    CHECK_CLOSE(below.derivative[k], at.derivative[k], 1e-14);
    CHECK_CLOSE(below.value[k], at.value[k] - 0.6 * at.derivative[k], 1e-13);
  }
}

int main() {
  against_recursion({0.6, 0.6, 0.6, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.6, 1.6, 1.6});
  against_recursion({1, 1, 1, 1, 1.01, 1.7, 1.7, 2.9, 3, 3, 3, 3}); // a double knot inside
  against_recursion({0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5});      // not clamped
  against_recursion({0, 0, 0, 0, 1e-4, 1e-3, 1, 7.3, 8, 8, 8, 8});  // very uneven
  linear_below_the_first_knot();
  CHECK(refuses({0, 0, 0, 0, 1, 1, 1}));
  CHECK(refuses({0, 0, 0, 0, 0, 1, 1, 1, 1}));
  CHECK(refuses({0, 0, 0, 0, 2, 1, 3, 3, 3, 3}));
  CHECK(refuses({0, 0, 0, 0, std::nan(""), 1, 1, 1, 1}));
  return failures != 0;
}
