// Eight doubles at once; included inside namespace and target region of ufp_kernel.cpp.

typedef __m512d Pack;
typedef __mmask8 Mask;
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

/// Two records of four doubles, in the low and in the high half.
LPSNMR_INLINE Pack load_two(const double *base, int low, int high) {
  return _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(base + 4 * std::ptrdiff_t(low))),
                            _mm256_loadu_pd(base + 4 * std::ptrdiff_t(high)), 1);
}
/// Records of four doubles at the given indices, turned into four packs.
LPSNMR_INLINE void load_records(const double *base, const int *index, Pack &x, Pack &y, Pack &z,
                                Pack &w) {
  const Pack a = load_two(base, index[0], index[4]), b = load_two(base, index[1], index[5]);
  const Pack c = load_two(base, index[2], index[6]), d = load_two(base, index[3], index[7]);
  const Pack xz = _mm512_unpacklo_pd(a, b), yw = _mm512_unpackhi_pd(a, b);
  const Pack xz2 = _mm512_unpacklo_pd(c, d), yw2 = _mm512_unpackhi_pd(c, d);
  const __m512i front = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
  const __m512i back = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
  x = _mm512_permutex2var_pd(xz, front, xz2);
  z = _mm512_permutex2var_pd(xz, back, xz2);
  y = _mm512_permutex2var_pd(yw, front, yw2);
  w = _mm512_permutex2var_pd(yw, back, yw2);
}

/// The same with the indices in a pack.
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

/// Four values and four slopes of the basis functions at u of an entry.
LPSNMR_INLINE Pack evaluate_basis(const double *p, double u) {
  const Pack x = splat(u);
  return fma(fma(fma(load(p + 24), x, load(p + 16)), x, load(p + 8)), x, load(p));
}

/// Basis of one neighbour, and each value and slope spread over four lanes for the contraction.
LPSNMR_INLINE void expand_basis(const double *p, double u, double *basis) {
  const Pack b = evaluate_basis(p, u);
  store(basis, b);
  for (int k = 0; k < 4; ++k)
    store(basis + 8 + 8 * k,
          _mm512_permutexvar_pd(_mm512_setr_epi64(k, k, k, k, k + 4, k + 4, k + 4, k + 4), b));
}

/// Sums of the four low and of the four high lanes of eight packs.
LPSNMR_INLINE void reduce_halves(const Pack *p, Pack &low, Pack &high) {
  Pack pairs[4], quads[2];
  for (int k = 0; k < 4; ++k)
    pairs[k] =
        _mm512_unpacklo_pd(p[2 * k], p[2 * k + 1]) + _mm512_unpackhi_pd(p[2 * k], p[2 * k + 1]);
  for (int k = 0; k < 2; ++k)
    quads[k] = _mm512_shuffle_f64x2(pairs[2 * k], pairs[2 * k + 1], 0x88) +
               _mm512_shuffle_f64x2(pairs[2 * k], pairs[2 * k + 1], 0xdd);
  low = _mm512_shuffle_f64x2(quads[0], quads[1], 0x88);
  high = _mm512_shuffle_f64x2(quads[0], quads[1], 0xdd);
}

/// The same four doubles in the low and in the high half.
LPSNMR_INLINE Pack both_halves(const double *p) {
  return _mm512_broadcast_f64x4(_mm256_loadu_pd(p));
}

/// Collects the triplets of one batch; energy and slopes come out as packs over the lanes.
///
/// A triplet holds values in its low and slopes in its high half, so that 24 fused
/// multiply-adds contract the 4 x 4 x 4 coefficients with all their derivatives.
struct Contraction {
  Pack p[width], q[width];

  LPSNMR_INLINE void clear() {
    for (int lane = 0; lane < width; ++lane) p[lane] = q[lane] = splat(0.0);
  }
  LPSNMR_INLINE void add(int lane, const double *c, std::size_t row_a, std::size_t row_b,
                         const double *ij, const double *ik, const double *polynomials_jk,
                         double u) {
    const Pack w0 = load(ik + 8), w1 = load(ik + 16), w2 = load(ik + 24), w3 = load(ik + 32);
    Pack t = splat(0.0), t_ij = splat(0.0); // over jk: (t | t_ik) and (t_ij | not needed)
    for (int a = 0; a < 4; ++a, c += row_a) {
      Pack s = w0 * both_halves(c);
      s = fma(w1, both_halves(c + row_b), s);
      s = fma(w2, both_halves(c + 2 * row_b), s);
      s = fma(w3, both_halves(c + 3 * row_b), s);
      t = fma(splat(ij[a]), s, t);
      t_ij = fma(splat(ij[a + 4]), s, t_ij);
    }
    const Pack b = evaluate_basis(polynomials_jk, u);
    p[lane] = t * _mm512_shuffle_f64x2(b, b, 0x44);
    q[lane] = _mm512_shuffle_f64x2(t_ij, t, 0x44) * b;
  }
  LPSNMR_INLINE void finish(Pack &energy, Pack &ij, Pack &ik, Pack &jk) const {
    reduce_halves(p, energy, ik);
    reduce_halves(q, ij, jk);
  }
};
