#include "core/efg/harmonics.h"

#include "core/common/error.h"

#include <cmath>
#include <complex>
#include <string>

namespace lpsnmr::efg {
namespace {

double factorial(int n) {
  double product = 1.0;
  for (int k = 2; k <= n; ++k) product *= k;
  return product;
}

/// Clebsch–Gordan coefficient ⟨j1 m1 j2 m2 | j m⟩ of whole momenta, by Racah's sum.
double clebsch_gordan(int j1, int m1, int j2, int m2, int j, int m) {
  if (m != m1 + m2 || std::abs(m) > j) return 0.0;
  double sum = 0.0;
  for (int k = 0; k <= j1 + j2 - j; ++k) {
    const int terms[] = {k,           j1 + j2 - j - k, j1 - m1 - k,
                         j2 + m2 - k, j - j2 + m1 + k, j - j1 - m2 + k};
    double product = k % 2 ? -1.0 : 1.0;
    bool counts = true;
    for (const int t : terms) {
      counts = counts && t >= 0;
      if (counts) product /= factorial(t);
    }
    if (counts) sum += product;
  }
  const double triangle = factorial(j + j1 - j2) * factorial(j - j1 + j2) * factorial(j1 + j2 - j) /
                          factorial(j + j1 + j2 + 1);
  const double projections = factorial(j + m) * factorial(j - m) * factorial(j1 - m1) *
                             factorial(j1 + m1) * factorial(j2 - m2) * factorial(j2 + m2);
  return sum * std::sqrt((2 * j + 1) * triangle * projections);
}

/// Coefficient of the complex harmonic (with Condon–Shortley phase) m in the real harmonic `row`.
std::complex<double> real_from_complex(int row, int m) {
  const double root = std::sqrt(0.5);
  const double phase = m % 2 ? -1.0 : 1.0;
  if (row == 0) return m == 0 ? 1.0 : 0.0;
  if (std::abs(m) != std::abs(row)) return 0.0;
  if (row > 0) return m > 0 ? phase * root : root;
  return m > 0 ? std::complex<double>(0.0, -phase * root) : std::complex<double>(0.0, root);
}

} // namespace

HarmonicConstants::HarmonicConstants() : norm{}, first{}, last{} {
  for (int l = 0; l < size; ++l)
    for (int m = 0; m <= l; ++m) {
      norm[l][m] = std::sqrt((m ? 2.0 : 1.0) * factorial(l - m) / factorial(l + m));
      if (m == l) continue;
      first[l][m] = double(2 * l - 1) / (l - m);
      last[l][m] = double(l + m - 1) / (l - m);
    }
}

const HarmonicConstants &harmonic_constants() {
  static const HarmonicConstants constants;
  return constants;
}

std::vector<CouplingTerm> real_coupling(int l1, int l2, int l) {
  if (l1 < 0 || l2 < 0 || l < std::abs(l1 - l2) || l > l1 + l2 || (l1 + l2 + l) % 2)
    throw Error("no even coupling of degrees " + std::to_string(l1) + " and " + std::to_string(l2) +
                " to " + std::to_string(l));
  std::vector<CouplingTerm> terms;
  for (int c = -l; c <= l; ++c)
    for (int a = -l1; a <= l1; ++a)
      for (int b = -l2; b <= l2; ++b) {
        std::complex<double> value = 0.0;
        for (const int ma : {a, -a}) {
          for (const int mb : {b, -b}) {
            const int m = ma + mb;
            if (std::abs(m) <= l)
              value += real_from_complex(c, m) * clebsch_gordan(l1, ma, l2, mb, l, m) *
                       std::conj(real_from_complex(a, ma)) * std::conj(real_from_complex(b, mb));
            if (b == 0) break;
          }
          if (a == 0) break;
        }
        if (std::abs(value) > 1e-13) terms.push_back({a + l1, b + l2, c + l, value.real()});
      }
  return terms;
}

} // namespace lpsnmr::efg
