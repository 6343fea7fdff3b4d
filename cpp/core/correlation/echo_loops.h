// Sines, cosines and their products; included once per instruction set, inside namespace and target
// region of simd/versions.h, by echo_kernel.cpp. All loops run over Li and have no branches, so
// that the compiler makes vectors of them.

constexpr double round_to_integer = 6755399441055744.0; // 1.5 · 2^52: adding it rounds
constexpr double inverse_pi = 0.31830988618379067154;
constexpr double pi_high =
    3.1415926534682512; // the first 35 bits: products with n < 2^18 are exact
constexpr double pi_low = 1.2154201013012384e-10; // the rest

struct Trigonometry {
  double sine, cosine;
};

/// Taylor series of the remainder in [−π/2, π/2]; truncated terms are below 4e-16.
LPSNMR_INLINE Trigonometry both(double x) {
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
void project(const double *projection, const double *components, std::size_t n,
             double *__restrict frequency) {
  const double a = projection[0], b = projection[1], c = projection[2], d = projection[3],
               e = projection[4];
  for (std::size_t i = 0; i < n; ++i)
    frequency[i] = a * components[i] + b * components[n + i] + c * components[2 * n + i] +
                   d * components[3 * n + i] + e * components[4 * n + i];
}

void trigonometry_row(const double *__restrict angle, double factor, std::size_t n,
                      double *__restrict sine, double *__restrict cosine) {
  for (std::size_t i = 0; i < n; ++i) {
    const Trigonometry t = both(angle[i] * factor);
    sine[i] = t.sine;
    cosine[i] = t.cosine;
  }
}

/// Sine and cosine of the sum of two angles of which they are known; rows (2, n).
void sum_row(const double *a, const double *b, std::size_t n, double *__restrict sum) {
  for (std::size_t i = 0; i < n; ++i) {
    sum[i] = a[i] * b[n + i] + a[n + i] * b[i];
    sum[n + i] = a[n + i] * b[n + i] - a[i] * b[i];
  }
}

void weigh_rows(double weight, std::size_t n, const double *__restrict rows,
                double *__restrict weighed) {
  for (std::size_t i = 0; i < n; ++i) weighed[i] = weight * rows[i];
}

/// sums += now · then
void add_products(const double *__restrict now, const double *__restrict then, std::size_t n,
                  double *__restrict sums) {
  for (std::size_t i = 0; i < n; ++i) sums[i] += now[i] * then[i];
}

/// Sine and cosine of all times: rows (times, 2, n).
void all_rows(const EchoGrid &grid, const std::vector<EchoTime> &plan, const double *frequency,
              std::size_t n, double *rows) {
  for (std::size_t t = 0; t < plan.size(); ++t) {
    double *const row = rows + 2 * t * n;
    if (plan[t].first < 0)
      trigonometry_row(frequency, grid.times[t], n, row, row + n);
    else
      sum_row(rows + 2 * n * plan[t].first, rows + 2 * n * plan[t].second, n, row);
  }
}

/// add_echo_products(), with its scratch.
///
/// @param weighed,rows (times, 2, n)
void add_all_products(const EchoGrid &grid, const std::vector<EchoTime> &plan, const double *now,
                      std::size_t n, const std::vector<EchoPair> &pairs, double *keep,
                      double *frequency, double *weighed, double *rows) {
  const std::size_t size = 2 * grid.n_times() * n;
  for (std::size_t b = 0; b < grid.n_orientations(); ++b) {
    const double *const projection = grid.projections.data() + 5 * b;
    double *const of_now = keep ? keep + b * size : rows;
    project(projection, now, n, frequency);
    all_rows(grid, plan, frequency, n, of_now);
    weigh_rows(grid.weights[b], size, of_now, weighed);
    for (const EchoPair &pair : pairs) {
      if (!pair.known) {
        project(projection, pair.old, n, frequency);
        all_rows(grid, plan, frequency, n, rows);
      }
      add_products(weighed, pair.known ? pair.known + b * size : rows, size, pair.sums);
    }
  }
}
