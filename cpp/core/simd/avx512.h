// Eight doubles at once; included inside namespace and target region of versions.h.

typedef __m512d Pack;
typedef __mmask8 Mask;
typedef simd::Wide Four;
constexpr int width = 8;

LPSNMR_INLINE Pack splat(double x) {
  return _mm512_set1_pd(x);
}
LPSNMR_INLINE Pack load(const double *p) {
  return _mm512_loadu_pd(p);
}
LPSNMR_INLINE void store(double *p, Pack a) {
  _mm512_storeu_pd(p, a);
}
LPSNMR_INLINE Pack fma(Pack a, Pack b, Pack c) {
  return _mm512_fmadd_pd(a, b, c);
}
LPSNMR_INLINE Pack minimum(Pack a, Pack b) {
  return _mm512_min_pd(a, b);
}
LPSNMR_INLINE Pack maximum(Pack a, Pack b) {
  return _mm512_max_pd(a, b);
}
LPSNMR_INLINE Mask less(Pack a, Pack b) {
  return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
}
LPSNMR_INLINE Mask both(Mask a, Mask b) {
  return a & b;
}
LPSNMR_INLINE Mask first_lanes(int n) {
  return n >= width ? 0xff : n <= 0 ? 0 : static_cast<Mask>((1u << n) - 1);
}
LPSNMR_INLINE unsigned bits(Mask m) {
  return m;
}
LPSNMR_INLINE Pack keep(Mask m, Pack a) {
  return _mm512_maskz_mov_pd(m, a);
}
LPSNMR_INLINE double sum(Pack a) {
  return _mm512_reduce_add_pd(a);
}

/// The sums of four packs.
LPSNMR_INLINE void sum_each(Pack a, Pack b, Pack c, Pack d, double *out) {
  const Pack ab = _mm512_unpacklo_pd(a, b) + _mm512_unpackhi_pd(a, b);
  const Pack cd = _mm512_unpacklo_pd(c, d) + _mm512_unpackhi_pd(c, d);
  const Pack quads = _mm512_shuffle_f64x2(ab, cd, 0x88) + _mm512_shuffle_f64x2(ab, cd, 0xdd);
  const Pack swapped = _mm512_shuffle_f64x2(quads, quads, 0xb1);
  const Pack all = quads + swapped; // a b a b c d c d
  _mm_storeu_pd(out, _mm512_castpd512_pd128(all));
  _mm_storeu_pd(out + 2, _mm512_extractf64x2_pd(all, 2));
}

/// r = sqrt(r2) and 1/r, to about an ulp: Newton's method on the processor's estimate.
LPSNMR_INLINE void inverse_root(Pack r2, Pack &r, Pack &inverse) {
  const Pack half = splat(0.5), half_r2 = half * r2;
  Pack y = _mm512_rsqrt14_pd(r2);
  for (int step = 0; step < 2; ++step) {
    const Pack error = _mm512_fnmadd_pd(half_r2 * y, y, half);
    y = fma(y, error, y);
  }
  const Pack root = r2 * y;
  r = fma(half * y, _mm512_fnmadd_pd(root, root, r2), root);
  inverse = fma(y, _mm512_fnmadd_pd(r, y, splat(1.0)), y);
}

/// Entries of a table of doubles.
LPSNMR_INLINE Pack look_up(const double *table, Pack index) {
  return _mm512_i32gather_pd(_mm512_cvttpd_epi32(index), table, 8);
}
/// The same for a table that can be read up to eight entries; the index is below eight.
LPSNMR_INLINE Pack look_up_short(const double *table, Pack index) {
  return _mm512_permutexvar_pd(_mm512_cvttpd_epi64(index), load(table));
}
/// Entries of a table of ints, as doubles.
LPSNMR_INLINE Pack look_up(const int *table, Pack index) {
  return _mm512_cvtepi32_pd(_mm256_i32gather_epi32(table, _mm512_cvttpd_epi32(index), 4));
}
LPSNMR_INLINE void store_truncated(int *p, Pack a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), _mm512_cvttpd_epi32(a));
}
LPSNMR_INLINE void add_truncated(int *p, Pack a) {
  __m256i *const at = reinterpret_cast<__m256i *>(p);
  _mm256_storeu_si256(at, _mm256_add_epi32(_mm256_loadu_si256(at), _mm512_cvttpd_epi32(a)));
}
/// The same int in all lanes.
LPSNMR_INLINE void fill(int *p, int a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), _mm256_set1_epi32(a));
}
/// start, start + 1, ...
LPSNMR_INLINE void count_up(int *p, int start) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(p),
                      _mm256_add_epi32(_mm256_set1_epi32(start), lanes));
}
/// a * factor + addend
LPSNMR_INLINE void multiply_add(int *p, const int *a, int factor, int addend) {
  const __m256i product = _mm256_mullo_epi32(
      _mm256_loadu_si256(reinterpret_cast<const __m256i *>(a)), _mm256_set1_epi32(factor));
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(p),
                      _mm256_add_epi32(product, _mm256_set1_epi32(addend)));
}
/// Drop the fraction of numbers in [0, 2^31).
LPSNMR_INLINE Pack truncated(Pack a) {
  return _mm512_roundscale_pd(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

/// Two vectors of four, in the low and in the high half.
LPSNMR_INLINE Pack join(__m256d low, __m256d high) {
  return _mm512_insertf64x4(_mm512_castpd256_pd512(low), high, 1);
}
/// Eight records of four doubles, a holding the first and the fifth, turned into four packs.
LPSNMR_INLINE void transpose(Pack a, Pack b, Pack c, Pack d, Pack &x, Pack &y, Pack &z, Pack &w) {
  const Pack xz = _mm512_unpacklo_pd(a, b), yw = _mm512_unpackhi_pd(a, b);
  const Pack xz2 = _mm512_unpacklo_pd(c, d), yw2 = _mm512_unpackhi_pd(c, d);
  const __m512i front = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
  const __m512i back = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
  x = _mm512_permutex2var_pd(xz, front, xz2);
  z = _mm512_permutex2var_pd(xz, back, xz2);
  y = _mm512_permutex2var_pd(yw, front, yw2);
  w = _mm512_permutex2var_pd(yw, back, yw2);
}
/// Records of four doubles at the given indices, turned into four packs.
LPSNMR_INLINE void load_records(const double *base, const int *index, Pack &x, Pack &y, Pack &z,
                                Pack &w) {
  Pack two[4];
  for (int k = 0; k < 4; ++k)
    two[k] = join(_mm256_loadu_pd(base + 4 * std::ptrdiff_t(index[k])),
                  _mm256_loadu_pd(base + 4 * std::ptrdiff_t(index[k + 4])));
  transpose(two[0], two[1], two[2], two[3], x, y, z, w);
}

/// Add vectors to the first three of four doubles at the given indices, at most `count`.
LPSNMR_INLINE void add_vectors(double *base, const int *index, int count, Pack x, Pack y, Pack z) {
  Pack two[4];
  transpose(x, y, z, splat(0.0), two[0], two[1], two[2], two[3]);
  for (int lane = 0; lane < width && lane < count; ++lane) {
    double *const to = base + 4 * std::ptrdiff_t(index[lane]);
    const __m256d row =
        lane < 4 ? _mm512_castpd512_pd256(two[lane]) : _mm512_extractf64x4_pd(two[lane - 4], 1);
    _mm256_storeu_pd(to, _mm256_loadu_pd(to) + row);
  }
}

/// Records of four doubles with the indices in a pack, turned into four packs.
LPSNMR_INLINE void look_up_records(const double *base, Pack index, Pack &x, Pack &y, Pack &z,
                                   Pack &w) {
  const __m256i first = _mm256_slli_epi32(_mm512_cvttpd_epi32(index), 2);
  x = _mm512_i32gather_pd(first, base, 8);
  y = _mm512_i32gather_pd(first, base + 1, 8);
  z = _mm512_i32gather_pd(first, base + 2, 8);
  w = _mm512_i32gather_pd(first, base + 3, 8);
}

/// Write the lanes of the mask one after another; may write a whole pack.
LPSNMR_INLINE void compress(double *p, Mask m, Pack a) {
  store(p, _mm512_maskz_compress_pd(m, a));
}
LPSNMR_INLINE void compress(int *p, Mask m, const int *from) {
  const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), _mm256_maskz_compress_epi32(m, a));
}

/// The four packs in the low and in the high halves of eight records of two times four.
LPSNMR_INLINE void transpose_halves(const Pack *p, Pack *low, Pack *high) {
  for (int odd = 0; odd < 2; ++odd) {
    Pack pairs[4];
    for (int k = 0; k < 4; ++k)
      pairs[k] = odd ? _mm512_unpackhi_pd(p[2 * k], p[2 * k + 1])
                     : _mm512_unpacklo_pd(p[2 * k], p[2 * k + 1]);
    const Pack first = _mm512_shuffle_f64x2(pairs[0], pairs[1], 0x88);
    const Pack second = _mm512_shuffle_f64x2(pairs[2], pairs[3], 0x88);
    const Pack third = _mm512_shuffle_f64x2(pairs[0], pairs[1], 0xdd);
    const Pack fourth = _mm512_shuffle_f64x2(pairs[2], pairs[3], 0xdd);
    low[odd] = _mm512_shuffle_f64x2(first, second, 0x88);
    high[odd] = _mm512_shuffle_f64x2(first, second, 0xdd);
    low[odd + 2] = _mm512_shuffle_f64x2(third, fourth, 0x88);
    high[odd + 2] = _mm512_shuffle_f64x2(third, fourth, 0xdd);
  }
}

/// Polynomials with four packs of coefficients.
LPSNMR_INLINE Pack evaluate(const Pack *p, Pack u) {
  return fma(fma(fma(p[3], u, p[2]), u, p[1]), u, p[0]);
}

/// Collects the triplets of one batch; energy and slopes come out as packs over the lanes.
struct Contraction {
  Pack value_ij[width]; // coefficients of the powers of r_jk: value low, slope along r_ij high
  __m256d ik[width];

  LPSNMR_INLINE void clear() {
    for (int lane = 0; lane < width; ++lane) {
      value_ij[lane] = splat(0.0);
      ik[lane] = _mm256_setzero_pd();
    }
  }
  LPSNMR_INLINE void add(int lane, const double *block, double u_ij, double u_ik) {
    const Pack u = splat(u_ij), v = splat(u_ik);
    Pack value[2], slope[2]; // powers 0 and 1, 2 and 3 of r_ik
    for (int k = 0; k < 2; ++k) {
      const double *const row = block + 8 * k;
      const Pack c3 = load(row + 48);
      const Pack two = fma(c3, u, load(row + 32)), one = fma(two, u, load(row + 16));
      value[k] = fma(one, u, load(row));
      slope[k] = fma(fma(c3, u, two), u, one);
    }
    const Pack p3 = _mm512_shuffle_f64x2(value[1], slope[1], 0xee);
    const Pack two = fma(p3, v, _mm512_shuffle_f64x2(value[1], slope[1], 0x44));
    const Pack one = fma(two, v, _mm512_shuffle_f64x2(value[0], slope[0], 0xee));
    value_ij[lane] = fma(one, v, _mm512_shuffle_f64x2(value[0], slope[0], 0x44));
    ik[lane] = _mm512_castpd512_pd256(fma(fma(p3, v, two), v, one));
  }
  LPSNMR_INLINE void finish(Pack u, Pack &energy, Pack &slope_ij, Pack &slope_ik,
                            Pack &slope_jk) const {
    Pack p[4], q[4];
    transpose_halves(value_ij, p, q);
    const Pack two = fma(p[3], u, p[2]), one = fma(two, u, p[1]);
    energy = fma(one, u, p[0]);
    slope_jk = fma(fma(p[3], u, two), u, one);
    slope_ij = evaluate(q, u);
    transpose(join(ik[0], ik[4]), join(ik[1], ik[5]), join(ik[2], ik[6]), join(ik[3], ik[7]), p[0],
              p[1], p[2], p[3]);
    slope_ik = evaluate(p, u);
  }
};
