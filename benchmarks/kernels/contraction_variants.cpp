// Nanoseconds per triplet of ways to contract the coefficients of V3, energy and three slopes, with
// vectors of four doubles (AVX2), and what each is off by.
//
//     g++ -O3 -std=c++17 -mavx2 -mfma benchmarks/kernels/contraction_variants.cpp && ./a.out
//
// Rows of triplets of one j: distances to the first two shells of bcc Nb at 300 K, 12 x 12 x 20
// random coefficients on uniform knots. Only the contraction and what it reads are timed, each
// variant 60 times in turns with the others; the fastest of each is printed.
//
//   strided      4 x 4 x 4 B-spline coefficients where they stand in the table (16 loads, most not
//   aligned) blocks       the 16 of one ij function and two cells next to each other, aligned
//   (memory x16) hybrid       the same as polynomials of r_ik and r_jk polynomials  64 coefficients
//   of a cell, powers of all three distances (memory x64); pair_style ufp row first    B-splines,
//   r_ij contracted once per row on the cells of the row, 16 terms a triplet single polynomials in
//   single precision, eight at once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <immintrin.h>
#include <random>
#include <vector>

namespace {

constexpr int n_r = 12, n_jk = 20, cells_r = n_r - 3, cells_jk = n_jk - 3, row_length = 7;
constexpr double width = 0.5;

struct Triplet {
  int ij, ik, jk;          // cells
  double u_ij, u_ik, u_jk; // from their left ends, Å
};

/// The four B-splines on a cell as powers of u, [power][function].
void basis_powers(double p[4][4]) {
  const double h = width;
  const double m[4][4] = {{1, 4, 1, 0}, {-3, 0, 3, 0}, {3, -6, 3, 0}, {-1, 3, -3, 1}};
  for (int power = 0; power < 4; ++power)
    for (int k = 0; k < 4; ++k) p[power][k] = m[power][k] / 6.0 / std::pow(h, power);
}

struct Basis {
  alignas(32) double value[4], slope[4];
};
Basis basis(double u) {
  static double p[4][4];
  static const bool made = (basis_powers(p), true);
  static_cast<void>(made);
  Basis b;
  for (int k = 0; k < 4; ++k) {
    b.value[k] = ((p[3][k] * u + p[2][k]) * u + p[1][k]) * u + p[0][k];
    b.slope[k] = (3 * p[3][k] * u + 2 * p[2][k]) * u + p[1][k];
  }
  return b;
}

__m256d load(const double *p) {
  return _mm256_loadu_pd(p);
}
__m256d splat(double x) {
  return _mm256_set1_pd(x);
}
/// Energy and slopes along ij, ik, jk: the sums of four vectors.
__m256d sums(__m256d a, __m256d b, __m256d c, __m256d d) {
  const __m256d ab = _mm256_hadd_pd(a, b), cd = _mm256_hadd_pd(c, d);
  return _mm256_permute2f128_pd(ab, cd, 0x20) + _mm256_permute2f128_pd(ab, cd, 0x31);
}
__m256d finish(__m256d t, __m256d ij, __m256d ik, const Basis &jk) {
  const __m256d value = load(jk.value);
  return sums(t * value, ij * value, ik * value, t * load(jk.slope));
}
__m256d finish(__m256d t, __m256d ij, __m256d ik, double u) {
  const __m256d value = _mm256_setr_pd(1, u, u * u, u * u * u);
  return sums(t * value, ij * value, ik * value, t * _mm256_setr_pd(0, 1, 2 * u, 3 * u * u));
}

struct Tables {
  std::vector<double> coefficients, blocks, hybrid, polynomials;
  std::vector<float> single;
};
/// One row: the same j throughout, the functions of r_ik and r_jk of every triplet.
struct Row {
  Basis ij;
  Triplet triplets[row_length];
  Basis ik[row_length], jk[row_length];
};

std::size_t place(const Triplet &t) {
  return std::size_t((t.ij * cells_r + t.ik) * cells_jk + t.jk);
}

__m256d strided(const Tables &tables, const Row &row, int n) {
  const Triplet &t = row.triplets[n];
  const double *c = &tables.coefficients[std::size_t((t.ij * n_r + t.ik) * n_jk + t.jk)];
  const Basis &a = row.ij, &b = row.ik[n];
  __m256d sum = splat(0), sum_ij = splat(0), sum_ik = splat(0);
  for (int i = 0; i < 4; ++i, c += n_r * n_jk) {
    __m256d s = splat(0), s_ik = splat(0);
    for (int k = 0; k < 4; ++k) {
      s += splat(b.value[k]) * load(c + k * n_jk);
      s_ik += splat(b.slope[k]) * load(c + k * n_jk);
    }
    sum += splat(a.value[i]) * s;
    sum_ij += splat(a.slope[i]) * s;
    sum_ik += splat(a.value[i]) * s_ik;
  }
  return finish(sum, sum_ij, sum_ik, row.jk[n]);
}

/// Contract the planes of blocks of 16 over r_ij: rows of r_ik, and their slopes along r_ij.
inline __attribute__((always_inline)) void contract_planes(const double *c, const Basis &a,
                                                           __m256d *rows, __m256d *slopes) {
  constexpr std::size_t plane = std::size_t(cells_r) * cells_jk * 16;
  for (int k = 0; k < 4; ++k) rows[k] = slopes[k] = splat(0);
  for (int i = 0; i < 4; ++i, c += plane)
    for (int k = 0; k < 4; ++k) {
      rows[k] += splat(a.value[i]) * load(c + 4 * k);
      slopes[k] += splat(a.slope[i]) * load(c + 4 * k);
    }
}

__m256d contract_rows(const __m256d *rows, const __m256d *slopes, const Basis &b, const Basis &c) {
  __m256d sum = splat(0), sum_ij = splat(0), sum_ik = splat(0);
  for (int k = 0; k < 4; ++k) {
    sum += splat(b.value[k]) * rows[k];
    sum_ij += splat(b.value[k]) * slopes[k];
    sum_ik += splat(b.slope[k]) * rows[k];
  }
  return finish(sum, sum_ij, sum_ik, c);
}

__m256d blocks(const Tables &tables, const Row &row, int n) {
  __m256d rows[4], slopes[4];
  contract_planes(&tables.blocks[16 * place(row.triplets[n])], row.ij, rows, slopes);
  return contract_rows(rows, slopes, row.ik[n], row.jk[n]);
}

/// Rows and slopes are coefficients of the powers of r_ik.
__m256d evaluate_rows(const __m256d *rows, const __m256d *slopes, const Triplet &t) {
  const __m256d v = splat(t.u_ik);
  const __m256d two = rows[3] * v + rows[2], one = two * v + rows[1];
  const __m256d ij = ((slopes[3] * v + slopes[2]) * v + slopes[1]) * v + slopes[0];
  return finish(one * v + rows[0], ij, (rows[3] * v + two) * v + one, t.u_jk);
}

__m256d hybrid(const Tables &tables, const Row &row, int n) {
  __m256d rows[4], slopes[4];
  contract_planes(&tables.hybrid[16 * place(row.triplets[n])], row.ij, rows, slopes);
  return evaluate_rows(rows, slopes, row.triplets[n]);
}

__m256d polynomials(const Tables &tables, const Row &row, int n) {
  const Triplet &t = row.triplets[n];
  const double *c = &tables.polynomials[64 * place(t)];
  const __m256d u = splat(t.u_ij);
  __m256d rows[4], slopes[4];
  for (int k = 0; k < 4; ++k) {
    const __m256d three = load(c + 48 + 4 * k);
    const __m256d two = three * u + load(c + 32 + 4 * k), one = two * u + load(c + 16 + 4 * k);
    rows[k] = one * u + load(c + 4 * k);
    slopes[k] = (three * u + two) * u + one;
  }
  return evaluate_rows(rows, slopes, t);
}

/// r_ij is contracted on all functions of r_ik and r_jk that the row needs, before the first
/// triplet.
__m256d row_first(const Tables &tables, const Row &row, int n) {
  static double plane[2][n_r * n_jk + 4];
  if (n == 0) {
    int low[2] = {n_r, n_jk}, high[2] = {0, 0};
    for (const Triplet &t : row.triplets)
      for (int axis = 0; axis < 2; ++axis) {
        low[axis] = std::min(low[axis], axis ? t.jk : t.ik);
        high[axis] = std::max(high[axis], (axis ? t.jk : t.ik) + 3);
      }
    const double *const c = &tables.coefficients[std::size_t(row.triplets[0].ij) * n_r * n_jk];
    for (int k = low[0]; k <= high[0]; ++k)
      for (int m = low[1]; m <= high[1]; m += 4) {
        __m256d value = splat(0), slope = splat(0);
        for (int i = 0; i < 4; ++i) {
          value += splat(row.ij.value[i]) * load(c + (i * n_r + k) * n_jk + m);
          slope += splat(row.ij.slope[i]) * load(c + (i * n_r + k) * n_jk + m);
        }
        _mm256_storeu_pd(plane[0] + k * n_jk + m, value);
        _mm256_storeu_pd(plane[1] + k * n_jk + m, slope);
      }
  }
  const Triplet &t = row.triplets[n];
  __m256d rows[4], slopes[4];
  for (int k = 0; k < 4; ++k) {
    rows[k] = load(plane[0] + (t.ik + k) * n_jk + t.jk);
    slopes[k] = load(plane[1] + (t.ik + k) * n_jk + t.jk);
  }
  return contract_rows(rows, slopes, row.ik[n], row.jk[n]);
}

__m128 halves(__m256 a) {
  return _mm256_castps256_ps128(a) + _mm256_extractf128_ps(a, 1);
}
__m256d single(const Tables &tables, const Row &row, int n) {
  const Triplet &t = row.triplets[n];
  const float *c = &tables.single[64 * place(t)];
  const __m256 u = _mm256_set1_ps(float(t.u_ij));
  __m256 rows[2], slopes[2]; // powers 0 and 1, 2 and 3 of r_ik
  for (int k = 0; k < 2; ++k) {
    const auto power = [&](int p) { return _mm256_loadu_ps(c + 16 * p + 8 * k); };
    const __m256 three = power(3), two = three * u + power(2), one = two * u + power(1);
    rows[k] = one * u + power(0);
    slopes[k] = (three * u + two) * u + one;
  }
  const __m256 v = _mm256_set1_ps(float(t.u_ik)), one = _mm256_set1_ps(1.0f);
  const __m256 first = _mm256_blend_ps(one, v, 0xf0), second = first * v * v; // 1 v, v^2 v^3
  const __m256 slope = _mm256_setr_ps(2, 2, 2, 2, 3, 3, 3, 3) * v * first;    // 2v, 3v^2
  const __m256 only_high = _mm256_blend_ps(_mm256_setzero_ps(), one, 0xf0);   // 0 1
  const __m128 value = halves(first * rows[0] + second * rows[1]);
  const __m128 ij = halves(first * slopes[0] + second * slopes[1]);
  const __m128 ik = halves(only_high * rows[0] + slope * rows[1]);
  const float w = float(t.u_jk);
  const __m128 powers = _mm_setr_ps(1, w, w * w, w * w * w);
  const __m128 jk = value * _mm_setr_ps(0, 1, 2 * w, 3 * w * w);
  return _mm256_cvtps_pd(
      _mm_hadd_ps(_mm_hadd_ps(value * powers, ij * powers), _mm_hadd_ps(ik * powers, jk)));
}

Tables make_tables(std::mt19937 &random) {
  std::normal_distribution<double> normal;
  Tables tables;
  tables.coefficients.resize(std::size_t(n_r) * n_r * n_jk + 4);
  for (double &c : tables.coefficients) c = normal(random);
  const std::size_t cells = std::size_t(cells_r) * cells_jk; // of r_ik and r_jk
  tables.blocks.resize(16 * n_r * cells);
  tables.hybrid.resize(16 * n_r * cells);
  tables.polynomials.resize(64 * cells_r * cells);
  double p[4][4];
  basis_powers(p);
  for (int i = 0; i < n_r; ++i)
    for (std::size_t cell = 0; cell < cells; ++cell)
      for (std::size_t n = 0; n < 16; ++n) {
        const std::size_t k = cell / cells_jk, m = cell % cells_jk;
        const auto at = [&](std::size_t b, std::size_t c) {
          return tables.coefficients[(std::size_t(i) * n_r + k + b) * n_jk + m + c];
        };
        const std::size_t to = 16 * (std::size_t(i) * cells + cell) + n;
        tables.blocks[to] = at(n / 4, n % 4);
        for (std::size_t b = 0; b < 4; ++b)
          for (std::size_t c = 0; c < 4; ++c)
            tables.hybrid[to] += p[n / 4][b] * p[n % 4][c] * at(b, c);
      }
  for (std::size_t i = 0; i < cells_r; ++i)
    for (std::size_t cell = 0; cell < cells; ++cell)
      for (std::size_t n = 0; n < 64; ++n)
        for (std::size_t a = 0; a < 4; ++a)
          tables.polynomials[64 * (i * cells + cell) + n] +=
              p[n / 16][a] * tables.hybrid[16 * ((i + a) * cells + cell) + n % 16];
  tables.single.assign(tables.polynomials.begin(), tables.polynomials.end());
  return tables;
}

std::vector<Row> make_rows(std::mt19937 &random) {
  double shells[14][3];
  int count = 0;
  for (int n = 0; n < 8; ++n, ++count)
    for (int a = 0; a < 3; ++a) shells[count][a] = n >> a & 1 ? 1.655 : -1.655;
  for (int n = 0; n < 6; ++n, ++count)
    for (int a = 0; a < 3; ++a) shells[count][a] = n / 2 == a ? (n % 2 ? 3.31 : -3.31) : 0.0;
  std::normal_distribution<double> normal(0.0, 0.1);
  std::uniform_int_distribution<int> any(0, 13);
  const auto cell_of = [](double r, int cells, double &u) {
    const int cell = std::min(static_cast<int>(r / width), cells - 1);
    u = r - cell * width;
    return cell;
  };
  std::vector<Row> rows(24); // they stay in the cache, as those of one centre do
  for (Row &row : rows) {
    double j[3], k[3];
    const int at_j = any(random);
    for (int a = 0; a < 3; ++a) j[a] = shells[at_j][a] + normal(random);
    for (int n = 0; n < row_length; ++n) {
      Triplet &t = row.triplets[n];
      double r[3] = {0, 0, 0};
      const int at_k = (at_j + 1 + any(random) % 13) % 14;
      for (int a = 0; a < 3; ++a) {
        k[a] = shells[at_k][a] + normal(random);
        r[0] += j[a] * j[a];
        r[1] += k[a] * k[a];
        r[2] += (k[a] - j[a]) * (k[a] - j[a]);
      }
      t.ij = cell_of(std::sqrt(r[0]), cells_r, t.u_ij);
      t.ik = cell_of(std::sqrt(r[1]), cells_r, t.u_ik);
      t.jk = cell_of(std::sqrt(r[2]), cells_jk, t.u_jk);
      row.ik[n] = basis(t.u_ik);
      row.jk[n] = basis(t.u_jk);
    }
    row.ij = basis(row.triplets[0].u_ij);
  }
  return rows;
}

using Function = __m256d (*)(const Tables &, const Row &, int);

/// Every triplet of the rows; returns ns per triplet.
template <Function function>
double run(const Tables &tables, const std::vector<Row> &rows, std::vector<double> &out) {
  const auto start = std::chrono::steady_clock::now();
  constexpr int repeats = 100;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    double *to = out.data();
    for (const Row &row : rows)
      for (int n = 0; n < row_length; ++n, to += 4) _mm256_storeu_pd(to, function(tables, row, n));
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  return took.count() / double(repeats * rows.size() * row_length);
}

} // namespace

int main() {
  std::mt19937 random(1);
  const Tables tables = make_tables(random);
  const std::vector<Row> rows = make_rows(random);
  constexpr int variants = 6;
  const char *const names[variants] = {"strided",     "blocks",    "hybrid",
                                       "polynomials", "row first", "single"};
  double (*const functions[variants])(const Tables &, const std::vector<Row> &,
                                      std::vector<double> &) = {
      run<strided>, run<blocks>, run<hybrid>, run<polynomials>, run<row_first>, run<single>};
  double best[variants], error[variants];
  std::vector<double> expected(rows.size() * row_length * 4), got = expected;
  std::fill_n(best, variants, 1e9);
  run<strided>(tables, rows, expected);
  for (int repeat = 0; repeat < 60; ++repeat)
    for (int v = 0; v < variants; ++v) {
      best[v] = std::min(best[v], functions[v](tables, rows, got));
      error[v] = 0;
      for (std::size_t k = 0; k < got.size(); ++k)
        error[v] = std::max(error[v], std::abs(got[k] - expected[k]));
    }
  for (int v = 0; v < variants; ++v)
    std::printf("{\"variant\": \"%s\", \"ns_per_triplet\": %.1f, \"largest_error\": %.1e}\n",
                names[v], best[v], error[v]);
}
