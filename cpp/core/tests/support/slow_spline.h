// De Boor's recursion as the textbook writes it: the oracle of the tables.
#pragma once

#include <cstddef>
#include <vector>

/// Value of basis function i of a degree; the last non-empty span is closed on the right.
inline double slow_basis(const std::vector<double> &t, std::size_t i, int degree, double r) {
  if (degree == 0) {
    const bool last = t[i] < t[i + 1] && t[i + 1] == t.back();
    return (t[i] <= r && r < t[i + 1]) || (last && r == t[i + 1]) ? 1.0 : 0.0;
  }
  double sum = 0;
  const double left = t[i + std::size_t(degree)] - t[i];
  const double right = t[i + std::size_t(degree) + 1] - t[i + 1];
  if (left > 0) sum += (r - t[i]) / left * slow_basis(t, i, degree - 1, r);
  if (right > 0)
    sum += (t[i + std::size_t(degree) + 1] - r) / right * slow_basis(t, i + 1, degree - 1, r);
  return sum;
}
