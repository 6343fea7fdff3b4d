// Feature rows: derivatives of one another, and equal to the potential they are the basis of.
#include "core/common/error.h"
#include "core/tests/support/check.h"
#include "core/ufp/features.h"

#include <cmath>
#include <random>
#include <vector>

using namespace lpsnmr;

namespace {

std::vector<double> clamped(double low, double high, int intervals) {
  std::vector<double> knots(3, low);
  for (int k = 0; k <= intervals; ++k) knots.push_back(low + (high - low) * k / intervals);
  knots.insert(knots.end(), 3, high);
  return knots;
}

ufp::Basis make_basis() {
  const auto pair = clamped(0.5, 4.0, 7), radial = clamped(0.8, 3.2, 4),
             across = clamped(0.8, 6.4, 7);
  return ufp::Basis(
      2, {{{0, 0}, pair}, {{0, 1}, pair}, {{1, 1}, pair}},
      {{{0, 0, 0}, radial, radial, across},
       {{0, 0, 1}, radial, clamped(0.8, 2.4, 3), across},
       {{1, 1, 0}, clamped(0.8, 2.4, 3), radial, across}}); // neighbours given as (1, 0)
}

std::vector<double> rows_of(const ufp::Basis &basis, const std::vector<double> &positions,
                            const std::vector<int> &species,
                            const std::vector<double> &coefficients) {
  neighbors::System system;
  system.positions = positions.data();
  system.size = species.size();
  system.cell = {5.0, 0, 0, 0.7, 4.5, 0, -0.4, 0.3, 5.5};
  const std::size_t rows = ufp::feature_rows(species.size());
  std::vector<double> design(rows * std::size_t(basis.columns())), out(rows, 0.0);
  ufp::evaluate_features(basis, system, species, design.data());
  for (std::size_t c = 0; c < coefficients.size(); ++c)
    for (std::size_t r = 0; r < rows; ++r) out[r] += coefficients[c] * design[c * rows + r];
  return out;
}

} // namespace

int main() {
  const ufp::Basis basis = make_basis();
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  std::vector<double> coefficients(static_cast<std::size_t>(basis.columns()));
  for (double &c : coefficients) c = normal(random);
  std::vector<double> positions = {0.1, 0.2, 0.3, 2.0, 0.4, 0.1, 0.3, 2.2,
                                   0.5, 2.1, 2.3, 2.4, 0.2, 0.9, 3.1};
  const std::vector<int> species = {0, 1, 0, 1, 1};
  const std::vector<double> base = rows_of(basis, positions, species, coefficients);

  const double h = 1e-5;
  for (std::size_t x = 0; x < positions.size(); ++x) {
    const double at = positions[x];
    positions[x] = at + h;
    const double up = rows_of(basis, positions, species, coefficients)[0];
    positions[x] = at - h;
    const double down = rows_of(basis, positions, species, coefficients)[0];
    positions[x] = at;
    CHECK_CLOSE(base[7 + x], -(up - down) / (2 * h), 1e-6 * (1 + std::abs(base[7 + x])));
  }
  for (std::size_t a = 0; a < 3; ++a) {
    double sum = 0;
    for (std::size_t i = 0; i < species.size(); ++i) sum += base[7 + 3 * i + a];
    CHECK_CLOSE(sum, 0.0, 1e-10);
  }

  // columns are numbered without gaps and like neighbours share them
  std::vector<char> seen(coefficients.size(), 0);
  for (const auto &pair : basis.pairs())
    for (int c = 0; c < pair.columns; ++c) seen[std::size_t(pair.first_column + c)] = 1;
  for (const auto &triple : basis.triples())
    for (int c : triple.column)
      if (c >= 0) seen[std::size_t(c)] = 1;
  for (char s : seen) CHECK(s != 0);

  positions[3] = positions[0] + 0.3; // below the first knot of 0.5
  positions[4] = positions[1];
  positions[5] = positions[2];
  bool refused = false;
  try {
    rows_of(basis, positions, species, coefficients);
  } catch (const Error &) {
    refused = true;
  }
  CHECK(refused);
  return failures != 0;
}
