// A spline on refined knots is the spline it was.
#include "core/tests/support/check.h"
#include "core/tests/support/slow_spline.h"

#include "core/splines/knot_refinement.h"

#include <random>
#include <vector>

using namespace lpsnmr;

namespace {

double value(const std::vector<double> &knots, const std::vector<double> &coefficients, double r) {
  double sum = 0;
  for (std::size_t k = 0; k < coefficients.size(); ++k)
    sum += coefficients[k] * slow_basis(knots, k, 3, r);
  return sum;
}

void check_axes(const splines::KnotGrid &from, const splines::KnotGrid &to) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  const splines::KnotGrid plain({0, 0, 0, 0, 1, 1, 1, 1});
  for (int axis = 0; axis < 3; ++axis) {
    splines::CoefficientBlock block{{4, 4, 4}, {}};
    block.size[std::size_t(axis)] = from.functions();
    block.values.resize(std::size_t(16 * from.functions()));
    for (double &c : block.values) c = normal(random);
    const splines::CoefficientBlock out = splines::refined(block, axis, from, to);
    CHECK(out.size[std::size_t(axis)] == to.functions());
    for (int p = 0; p < 4; ++p)
      for (int q = 0; q < 4; ++q) {
        const auto line = [&](const splines::CoefficientBlock &b, int m) {
          return axis == 0 ? b.at(m, p, q) : axis == 1 ? b.at(p, m, q) : b.at(p, q, m);
        };
        std::vector<double> before, after;
        for (int m = 0; m < from.functions(); ++m) before.push_back(line(block, m));
        for (int m = 0; m < to.functions(); ++m) after.push_back(line(out, m));
        for (double r = from.low() + 0.013; r < from.high(); r += 0.171)
          CHECK_CLOSE(value(to.knots(), after, r), value(from.knots(), before, r), 1e-13);
      }
  }
}

} // namespace

int main() {
  // knots left out towards the end, as fits of UF potentials do, and at the front
  const splines::KnotGrid gaps({1, 1, 1, 1, 1.5, 2, 2.5, 3.5, 5, 5, 5, 5});
  const splines::KnotGrid fine = splines::uniform_refinement(gaps);
  CHECK(!gaps.uniform());
  CHECK(fine.uniform());
  CHECK(fine.spans() == 8);
  check_axes(gaps, fine);
  const splines::KnotGrid front({0, 0, 0, 0, 3, 4, 5, 6, 6, 6, 6});
  CHECK(splines::uniform_refinement(front).spans() == 6);
  check_axes(front, splines::uniform_refinement(front));

  // left alone: uniform already, no common spacing, a double knot inside
  const splines::KnotGrid even({0, 0, 0, 0, 1, 2, 3, 3, 3, 3});
  CHECK(splines::uniform_refinement(even) == even);
  const splines::KnotGrid uneven({0, 0, 0, 0, 1, 2.3, 3, 3, 3, 3});
  CHECK(splines::uniform_refinement(uneven) == uneven);
  const splines::KnotGrid twice({0, 0, 0, 0, 1, 1, 3, 4, 4, 4, 4});
  CHECK(splines::uniform_refinement(twice) == twice);
  return failures != 0;
}
