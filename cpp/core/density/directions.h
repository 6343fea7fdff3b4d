// The ten products of the components of a unit vector that moments are made of, and their slopes.
#pragma once

#include "core/common/tensor_order.h"
#include "core/density/terms.h"

namespace lpsnmr::density {

/// 1; x y z; xx yy zz xy xz yz.
///
/// @param u  (3) unit vector
/// @param y  (all_components), overwritten
inline void direction_products(const double *u, double *y) {
  y[0] = 1.0;
  for (int a = 0; a < 3; ++a) y[first_component[1] + a] = u[a];
  for (int c = 0; c < component_count[2]; ++c)
    y[first_component[2] + c] = u[tensor_order[c][0]] * u[tensor_order[c][1]];
}

/// Derivatives of direction_products() with respect to the components of u.
///
/// @param d  (all_components, 3), overwritten
inline void direction_slopes(const double *u, double (*d)[3]) {
  for (int c = 0; c < all_components; ++c) d[c][0] = d[c][1] = d[c][2] = 0.0;
  for (int a = 0; a < 3; ++a) d[first_component[1] + a][a] = 1.0;
  for (int c = 0; c < component_count[2]; ++c) {
    const int a = tensor_order[c][0], b = tensor_order[c][1];
    d[first_component[2] + c][a] += u[b];
    d[first_component[2] + c][b] += u[a];
  }
}

} // namespace lpsnmr::density
