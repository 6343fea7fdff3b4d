// The two forms of a symmetric traceless tensor: five orthonormal components, six Cartesian ones.
#pragma once

#include <cmath>

namespace lpsnmr::efg {

/// Components c with Σ_m c_m d_m = Tr(V W), in the order m = −2 … 2 of the real harmonics of l = 2:
/// (√2 V_xy, √2 V_yz, √(3/2) V_zz, √2 V_xz, (V_xx − V_yy)/√2).
///
/// @param cartesian   (6) xx yy zz xy xz yz
/// @param components  (5), overwritten, same unit
inline void components_of(const double *cartesian, double *components) {
  components[0] = std::sqrt(2.0) * cartesian[3];
  components[1] = std::sqrt(2.0) * cartesian[5];
  components[2] = std::sqrt(1.5) * cartesian[2];
  components[3] = std::sqrt(2.0) * cartesian[4];
  components[4] = (cartesian[0] - cartesian[1]) / std::sqrt(2.0);
}

/// The reverse of components_of().
inline void cartesian_of(const double *components, double *cartesian) {
  const double zz = components[2] / std::sqrt(1.5), difference = components[4] * std::sqrt(2.0);
  cartesian[0] = 0.5 * (difference - zz);
  cartesian[1] = 0.5 * (-difference - zz);
  cartesian[2] = zz;
  cartesian[3] = components[0] / std::sqrt(2.0);
  cartesian[4] = components[3] / std::sqrt(2.0);
  cartesian[5] = components[1] / std::sqrt(2.0);
}

} // namespace lpsnmr::efg
