// Real spherical harmonics, radial functions and the coupling of two harmonics to l = 2.
#pragma once

#include "core/simd/inline.h"

#include <algorithm>
#include <vector>

namespace lpsnmr::efg {

/// Largest degree the harmonics are made for.
constexpr int max_harmonic_degree = 8;

/// Position of (l, m), m = -l … l, in an array of harmonics.
constexpr int harmonic_index(int l, int m) {
  return l * l + l + m;
}
constexpr int harmonic_count(int l_max) {
  return (l_max + 1) * (l_max + 1);
}

/// Constants of the recursion, in row l, column m ≥ 0.
struct HarmonicConstants {
  static constexpr int size = max_harmonic_degree + 1;
  double norm[size][size];  ///< √((2 − δ_m0) (l − m)! / (l + m)!)
  double first[size][size]; ///< (2l − 1) / (l − m)
  double last[size][size];  ///< (l + m − 1) / (l − m)
  HarmonicConstants();
};
const HarmonicConstants &harmonic_constants();

/// Evaluate real harmonics of `lanes` unit vectors at once.
///
/// Y_lm is normalised to Σ_m Y_lm² = 1 (Racah) without the Condon–Shortley phase: Y_10 = z, Y_11 =
/// x, Y_1-1 = y, Y_20 = (3z² − 1)/2, Y_22 = √3/2 (x² − y²), …
///
/// @param l_max  highest degree, 0 … max_harmonic_degree
/// @param x,y,z  (lanes) unit vectors
/// @param out    (harmonic_count(l_max), lanes)
template <int lanes>
LPSNMR_INLINE void real_harmonics(int l_max, const double *x, const double *y, const double *z,
                                  double *out) {
  const HarmonicConstants &constants = harmonic_constants();
  double c[lanes], s[lanes], diagonal = 1.0; // c + i s = (x + i y)^m, diagonal = (2m − 1)!!
  for (int k = 0; k < lanes; ++k) c[k] = 1.0, s[k] = 0.0;
  for (int m = 0; m <= l_max; ++m) {
    double before[lanes], here[lanes]; // P^m_{l−1} / sin^m and P^m_l / sin^m
    for (int k = 0; k < lanes; ++k) before[k] = 0.0, here[k] = diagonal;
    for (int l = m; l <= l_max; ++l) {
      if (l > m) {
        const double a = constants.first[l][m], b = constants.last[l][m];
        for (int k = 0; k < lanes; ++k) {
          const double next = a * z[k] * here[k] - b * before[k];
          before[k] = here[k];
          here[k] = next;
        }
      }
      double *plus = out + harmonic_index(l, m) * lanes;
      double *minus = out + harmonic_index(l, -m) * lanes;
      const double norm = constants.norm[l][m];
      for (int k = 0; k < lanes; ++k) plus[k] = norm * here[k] * c[k];
      if (m > 0)
        for (int k = 0; k < lanes; ++k) minus[k] = norm * here[k] * s[k];
    }
    for (int k = 0; k < lanes; ++k) {
      const double turned = c[k] * x[k] - s[k] * y[k];
      s[k] = s[k] * x[k] + c[k] * y[k];
      c[k] = turned;
    }
    diagonal *= 2 * m + 1;
  }
}

/// Radial functions R_n(r) = T_n(1 − 2 r/r_c) (1 − r²/r_c²)³, n = 0 … count − 1; zero beyond r_c.
///
/// T_n are Chebyshev polynomials. Value, slope and curvature go to zero at the cutoff.
///
/// @param r    (lanes) Å
/// @param out  (count, lanes)
template <int lanes>
LPSNMR_INLINE void radial_functions(int count, double cutoff, const double *r, double *out) {
  double x[lanes], envelope[lanes];
  for (int k = 0; k < lanes; ++k) {
    const double s = r[k] / cutoff;
    const double inside = std::max(0.0, 1.0 - s * s);
    envelope[k] = inside * inside * inside;
    x[k] = 1.0 - 2.0 * s;
  }
  for (int n = 0; n < count; ++n)
    for (int k = 0; k < lanes; ++k)
      out[n * lanes + k] = n == 0 ? envelope[k]
                           : n == 1
                               ? x[k] * envelope[k]
                               : 2.0 * x[k] * out[(n - 1) * lanes + k] - out[(n - 2) * lanes + k];
}

/// One non-zero coefficient: component c of the result gets value · a-th · b-th component.
struct CouplingTerm {
  int a, b, c;
  double value;
};

/// Coefficients that couple real harmonics of degrees l1 and l2 to a tensor of degree l.
///
/// T_c = Σ value · A_a B_b transforms as degree l when A and B do as l1 and l2. Components are
/// counted from 0 (m = −l). Clebsch–Gordan coefficients carried over to the real basis; l1 + l2 + l
/// must be even, so that an even number of odd tensors is even under inversion.
///
/// @throws Error unless |l1 − l2| ≤ l ≤ l1 + l2 and l1 + l2 + l is even
std::vector<CouplingTerm> real_coupling(int l1, int l2, int l);

} // namespace lpsnmr::efg
