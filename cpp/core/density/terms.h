// Which product of moments is which coefficient.
#pragma once

#include "core/density/ufd_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace lpsnmr::density {

/// Moments of order l have so many Cartesian components: 1; x y z; xx yy zz xy xz yz.
constexpr int component_count[3] = {1, 3, 6};
/// All of them together, and where those of each order begin.
constexpr int all_components = 10;
constexpr int first_component[3] = {0, 1, 4};
/// How often a component of order 2 stands in the full tensor.
constexpr double multiplicity[6] = {1, 1, 1, 2, 2, 2};

/// The terms of a block, numbered.
///
/// Functions are numbered channel by channel. Pair products come first by l, then by p <= q among
/// the functions that have moments of this l: A_p A_q, A_p . A_q, A_p : A_q. Terms of three bodies
/// are the pair products; those of four bodies are A_a times a pair product, a outermost, and where
/// l = 0 only a <= p, so that no product comes twice.
struct Terms {
  struct Product {
    int l, p, q; ///< p, q: positions in members[l]
  };
  struct Term {
    int function; ///< of the scalar factor, -1 without
    int product;
  };

  explicit Terms(const Block &block);

  int functions = 0;
  std::array<std::vector<int>, 3> members; ///< functions that have moments of order l
  std::vector<Product> products;
  std::vector<Term> terms;
};

/// Value of a pair product.
///
/// @param moments (functions, all_components) of a centre
double product_value(const Terms &terms, const Terms::Product &product, const double *moments);

/// Factor on the terms of a centre for one scalar moment: 1 up to `full`, 0 from `gone` on, with
/// two continuous derivatives.
inline double fade_factor(double moment, double full, double gone, double &slope) {
  slope = 0.0;
  if (!(moment > full)) return 1.0;
  if (moment >= gone) return 0.0;
  const double width = gone - full, x = (moment - full) / width;
  slope = -30.0 * x * x * (1.0 - x) * (1.0 - x) / width;
  return 1.0 - x * x * x * (10.0 + x * (6.0 * x - 15.0));
}

/// The energy of an atom as it is between `low` and `high`; beyond, a hyperbolic tangent takes it
/// to low - room or high + room, with two continuous derivatives.
inline double bounded_energy(double energy, double low, double high, double room, double &slope) {
  slope = 1.0;
  if (energy >= low && energy <= high) return energy;
  const double edge = energy < low ? low : high;
  const double t = std::tanh((energy - edge) / room);
  slope = 1.0 - t * t;
  return edge + room * t;
}

/// Value and derivative of a radial function; zero outside of its knots.
///
/// @param cubics from interval_cubics()
inline double radial_value(const Channel &channel, const std::vector<double> &cubics, double r,
                           double &slope) {
  slope = 0.0;
  if (r <= channel.start || r >= channel.cutoff) return 0.0;
  const double h = (channel.cutoff - channel.start) / channel.intervals;
  const int s = std::min(channel.intervals - 1, static_cast<int>((r - channel.start) / h));
  const double u = r - (channel.start + s * h), *const c = &cubics[4 * std::size_t(s)];
  slope = c[1] + u * (2.0 * c[2] + 3.0 * u * c[3]);
  return c[0] + u * (c[1] + u * (c[2] + u * c[3]));
}

/// Cubics of a function, (intervals, power) in the distance from the left end of each interval.
std::vector<double> interval_cubics(const Channel &channel, const RadialFunction &function);

} // namespace lpsnmr::density
