// Fused multiply-adds of doubles per second on one core, with the widest vectors the processor has.
//
//     g++ -O3 benchmarks/kernels/peak_fma.cpp -o peak_fma && ./peak_fma
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <immintrin.h>

namespace {

constexpr int chains = 12, rounds = 100000;

__attribute__((target("avx512f"))) double run_avx512() {
  __m512d a[chains];
  for (auto &x : a) x = _mm512_set1_pd(1.0);
  const __m512d m = _mm512_set1_pd(1.0000001), c = _mm512_set1_pd(1e-9);
  for (int i = 0; i < rounds; ++i)
    for (auto &x : a) x = _mm512_fmadd_pd(x, m, c);
  double sum = 0;
  for (auto &x : a) sum += _mm512_reduce_add_pd(x);
  return sum;
}

__attribute__((target("avx2,fma"))) double run_avx2() {
  __m256d a[chains];
  for (auto &x : a) x = _mm256_set1_pd(1.0);
  const __m256d m = _mm256_set1_pd(1.0000001), c = _mm256_set1_pd(1e-9);
  for (int i = 0; i < rounds; ++i)
    for (auto &x : a) x = _mm256_fmadd_pd(x, m, c);
  double sum = 0;
  for (auto &x : a) sum += x[0] + x[1] + x[2] + x[3];
  return sum;
}

} // namespace

int main() {
  const bool wide = __builtin_cpu_supports("avx512f");
  double best = 1e9, sum = 0;
  for (int repeat = 0; repeat < 50; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    sum += wide ? run_avx512() : run_avx2();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  std::printf("{\"lanes\": %d, \"fma_per_ns\": %.2f}\n", wide ? 8 : 4,
              (wide ? 8.0 : 4.0) * chains * rounds / best * 1e-9);
  return sum == 0.0;
}
