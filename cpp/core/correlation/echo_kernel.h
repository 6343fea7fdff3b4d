// The sums of a spin-alignment echo over orientations, for many Li at once.
#pragma once

#include "core/simd/instructions.h"

#include <cstddef>
#include <vector>

namespace lpsnmr::correlation {

/// Orientations of the field and evolution times of an echo.
struct EchoGrid {
  std::vector<double> projections; ///< (orientations, 5): frequency = Σ_m projection_m c_m
  std::vector<double> weights;     ///< (orientations), of the powder average
  std::vector<double> times;       ///< evolution times, in the inverse unit of the frequencies

  std::size_t n_orientations() const { return weights.size(); }
  std::size_t n_times() const { return times.size(); }
};

/// Two moments of all Li: what was then, and where the products with now are added.
struct EchoPair {
  const double *old;   ///< (5, n) components, one row per component
  double *sums;        ///< (times, 2, n): Σ_b w_b sin·sin and Σ_b w_b cos·cos
  const double *known; ///< (orientations, times, 2, n) sines and cosines of then, or nullptr
};

/// How the sine of an evolution time is had: from its angle, or as that of a sum of two earlier
/// times of the list.
struct EchoTime {
  int first = -1, second = -1; ///< positions of those two; −1: from the angle
};

/// What the kernel works on for n Li.
class EchoScratch {
public:
  EchoScratch(const EchoGrid &grid, std::size_t n, simd::Instructions instructions);

private:
  friend void add_echo_products(const EchoGrid &grid, const double *now, std::size_t n,
                                const std::vector<EchoPair> &pairs, double *keep,
                                EchoScratch &scratch);
  using Function = void (*)(const EchoGrid &, const std::vector<EchoTime> &, const double *,
                            std::size_t, const std::vector<EchoPair> &, double *, double *,
                            double *, double *);
  Function function_;
  std::vector<EchoTime> plan_; // (times)
  std::vector<double> frequency_, now_, then_;
};

/// Add Σ_b w_b sin(ω_b t) sin(ω'_b t) and the cosine partner of every Li and time to each pair.
/// Sine and cosine are within 1e-14 + 4e-16 |ω t| of the exact ones while |ω t| < 1e6; a time that
/// is the sum of two others of the list has theirs by the addition theorem, with the error of both.
/// @param now   (5, n) components of this moment
/// @param keep  (orientations, times, 2, n), its sines and cosines are written there; or nullptr
void add_echo_products(const EchoGrid &grid, const double *now, std::size_t n,
                       const std::vector<EchoPair> &pairs, double *keep, EchoScratch &scratch);

/// sine[i] = sin(angle[i] factor), cosine[i] = cos(angle[i] factor); |angle factor| < 1e6.
void sine_cosine(const double *angle, double factor, std::size_t n, double *sine, double *cosine,
                 simd::Instructions instructions = simd::chosen_instructions());

} // namespace lpsnmr::correlation
