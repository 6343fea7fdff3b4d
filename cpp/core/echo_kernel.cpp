// All loops run over Li and have no branches, so that the compiler makes vectors of them.
#include "echo_kernel.h"

#include "vector_clones.h"

namespace lpsnmr {

namespace {

constexpr double round_to_integer = 6755399441055744.0; // 1.5 · 2^52: adding it rounds
constexpr double inverse_pi = 0.31830988618379067154;
constexpr double pi_high =
    3.1415926534682512; // the first 35 bits: products with n < 2^18 are exact
constexpr double pi_low = 1.2154201013012384e-10; // the rest

struct Trigonometry {
  double sine, cosine;
};

/// Taylor series of the remainder in [−π/2, π/2]; truncated terms are below 4e-16.
inline __attribute__((always_inline)) Trigonometry both(double x) {
  const double n = (x * inverse_pi + round_to_integer) - round_to_integer;
  const double half = (0.5 * n + round_to_integer) - round_to_integer;
  const double odd = n - 2.0 * half; // 0 or ±1
  const double sign = 1.0 - 2.0 * odd * odd;
  const double r = (x - n * pi_high) - n * pi_low;
  const double z = r * r;
  double s = -1.0 / 121645100408832000.0;
  s = s * z + 1.0 / 355687428096000.0;
  s = s * z - 1.0 / 1307674368000.0;
  s = s * z + 1.0 / 6227020800.0;
  s = s * z - 1.0 / 39916800.0;
  s = s * z + 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  s = s * z + 1.0;
  double c = 1.0 / 2432902008176640000.0;
  c = c * z - 1.0 / 6402373705728000.0;
  c = c * z + 1.0 / 20922789888000.0;
  c = c * z - 1.0 / 87178291200.0;
  c = c * z + 1.0 / 479001600.0;
  c = c * z - 1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  c = c * z - 0.5;
  c = c * z + 1.0;
  return {sign * s * r, sign * c};
}

/// frequency[i] = Σ_m projection[m] components[m][i]
LPSNMR_CLONES void project(const double *projection, const double *components, std::size_t n,
                           double *__restrict frequency) {
  const double a = projection[0], b = projection[1], c = projection[2], d = projection[3],
               e = projection[4];
  for (std::size_t i = 0; i < n; ++i)
    frequency[i] = a * components[i] + b * components[n + i] + c * components[2 * n + i] +
                   d * components[3 * n + i] + e * components[4 * n + i];
}

LPSNMR_CLONES void trigonometry_row(const double *__restrict angle, double factor, std::size_t n,
                                    double *__restrict sine, double *__restrict cosine) {
  for (std::size_t i = 0; i < n; ++i) {
    const Trigonometry t = both(angle[i] * factor);
    sine[i] = t.sine;
    cosine[i] = t.cosine;
  }
}

/// Products of what is known of now (times weight) with the same of then, added to two rows.
LPSNMR_CLONES void product_row(const double *__restrict angle, double factor, std::size_t n,
                               const double *__restrict sine, const double *__restrict cosine,
                               double *__restrict sine_sums, double *__restrict cosine_sums) {
  for (std::size_t i = 0; i < n; ++i) {
    const Trigonometry t = both(angle[i] * factor);
    sine_sums[i] += sine[i] * t.sine;
    cosine_sums[i] += cosine[i] * t.cosine;
  }
}

} // namespace

void sine_cosine(const double *angle, double factor, std::size_t n, double *sine, double *cosine) {
  trigonometry_row(angle, factor, n, sine, cosine);
}

void add_echo_products(const EchoGrid &grid, const double *now, std::size_t n,
                       const std::vector<EchoPair> &pairs, EchoScratch &scratch) {
  double *const frequency = scratch.frequency();
  double *const rows = scratch.trigonometry(); // (times, 2, n)
  for (std::size_t b = 0; b < grid.n_orientations(); ++b) {
    const double *const projection = grid.projections.data() + 5 * b;
    project(projection, now, n, frequency);
    for (std::size_t t = 0; t < grid.n_times(); ++t) {
      double *const row = rows + 2 * t * n;
      trigonometry_row(frequency, grid.times[t], n, row, row + n);
      for (std::size_t i = 0; i < 2 * n; ++i) row[i] *= grid.weights[b];
    }
    for (const EchoPair &pair : pairs) {
      project(projection, pair.old, n, frequency);
      for (std::size_t t = 0; t < grid.n_times(); ++t) {
        const double *const row = rows + 2 * t * n;
        double *const sums = pair.sums + 2 * t * n;
        product_row(frequency, grid.times[t], n, row, row + n, sums, sums + n);
      }
    }
  }
}

} // namespace lpsnmr
