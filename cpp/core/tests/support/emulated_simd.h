// Intrinsics of AVX2 and AVX-512 in portable C++ under their own names: those of SIMDe, and the few
// that simd/avx512.h uses and SIMDe 0.7 lacks. The build includes this before everything else, and
// every version of the loops then runs on every processor.
#pragma once

#define LPSNMR_EMULATED_INTRINSICS 1

#include <climits>
#include <cmath>
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>
#include <simde/x86/fma.h>

#if !defined(_MM_FROUND_NO_EXC)
#define _MM_FROUND_NO_EXC SIMDE_MM_FROUND_NO_EXC
#endif
#if !defined(_MM_FROUND_TO_ZERO)
#define _MM_FROUND_TO_ZERO SIMDE_MM_FROUND_TO_ZERO
#endif

typedef simde__mmask8 __mmask8;

inline double _mm512_reduce_add_pd(__m512d a) {
  double sum = 0.0;
  for (int k = 0; k < 8; ++k) sum += a[k];
  return sum;
}
/// Two bits of imm choose each part of two doubles: two parts of a, two of b.
inline __m512d _mm512_shuffle_f64x2(__m512d a, __m512d b, int imm) {
  __m512d out;
  for (int part = 0; part < 4; ++part)
    for (int k = 0; k < 2; ++k)
      out[2 * part + k] = (part < 2 ? a : b)[2 * (imm >> 2 * part & 3) + k];
  return out;
}
/// To whole numbers towards zero, whatever is asked for: SIMDe's constants do not fit its own
/// function.
#undef _mm512_roundscale_pd
inline __m512d _mm512_roundscale_pd(__m512d a, int) {
  __m512d out;
  for (int k = 0; k < 8; ++k) out[k] = std::trunc(a[k]);
  return out;
}
inline __m128d _mm512_extractf64x2_pd(__m512d a, int part) {
  return _mm_setr_pd(a[2 * part], a[2 * part + 1]);
}
/// The estimate of a processor is off by less than 2^-14; this one by nearly as much.
inline __m512d _mm512_rsqrt14_pd(__m512d a) {
  __m512d out;
  for (int k = 0; k < 8; ++k) out[k] = (1.0 + (k % 2 ? -0.99 : 0.99) * 0x1p-14) / std::sqrt(a[k]);
  return out;
}
/// As on the processor, what does not fit becomes the smallest number.
inline __m256i _mm512_cvttpd_epi32(__m512d a) {
  int out[8];
  for (int k = 0; k < 8; ++k) out[k] = std::fabs(a[k]) < 0x1p31 ? static_cast<int>(a[k]) : INT_MIN;
  return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(out));
}
inline __m512i _mm512_cvttpd_epi64(__m512d a) {
  long long out[8];
  for (int k = 0; k < 8; ++k) out[k] = static_cast<long long>(a[k]);
  return _mm512_loadu_si512(out);
}
inline __m512d _mm512_cvtepi32_pd(__m256i a) {
  int in[8];
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(in), a);
  return _mm512_setr_pd(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]);
}
inline __m512d _mm512_i32gather_pd(__m256i index, const double *base, int) {
  int k[8];
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(k), index);
  return _mm512_setr_pd(base[k[0]], base[k[1]], base[k[2]], base[k[3]], base[k[4]], base[k[5]],
                        base[k[6]], base[k[7]]);
}
