// Four doubles at once; included inside namespace and target region of versions.h.

typedef __m256d Pack;
typedef __m256d Mask;
constexpr int width = 4;

LPSNMR_INLINE Pack splat(double x) {
  return _mm256_set1_pd(x);
}
LPSNMR_INLINE Pack load(const double *p) {
  return _mm256_loadu_pd(p);
}
LPSNMR_INLINE void store(double *p, Pack a) {
  _mm256_storeu_pd(p, a);
}
LPSNMR_INLINE Pack fma(Pack a, Pack b, Pack c) {
  return _mm256_fmadd_pd(a, b, c);
}
LPSNMR_INLINE Pack minimum(Pack a, Pack b) {
  return _mm256_min_pd(a, b);
}
LPSNMR_INLINE Pack maximum(Pack a, Pack b) {
  return _mm256_max_pd(a, b);
}
LPSNMR_INLINE Mask less(Pack a, Pack b) {
  return _mm256_cmp_pd(a, b, _CMP_LT_OQ);
}
LPSNMR_INLINE Mask both(Mask a, Mask b) {
  return _mm256_and_pd(a, b);
}
LPSNMR_INLINE Mask first_lanes(int n) {
  return less(_mm256_setr_pd(0, 1, 2, 3), splat(n));
}
LPSNMR_INLINE unsigned bits(Mask m) {
  return static_cast<unsigned>(_mm256_movemask_pd(m));
}
LPSNMR_INLINE Pack keep(Mask m, Pack a) {
  return _mm256_and_pd(m, a);
}
LPSNMR_INLINE double sum(Pack a) {
  return (a[0] + a[1]) + (a[2] + a[3]);
}

/// r = sqrt(r2) and 1/r.
LPSNMR_INLINE void inverse_root(Pack r2, Pack &r, Pack &inverse) {
  r = _mm256_sqrt_pd(r2);
  inverse = splat(1.0) / r;
}

LPSNMR_INLINE void store_truncated(int *p, Pack a) {
  _mm_storeu_si128(reinterpret_cast<__m128i *>(p), _mm256_cvttpd_epi32(a));
}
/// Drop the fraction of numbers in [0, 2^31).
LPSNMR_INLINE Pack truncated(Pack a) {
  return _mm256_round_pd(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
/// Entries of a table, as doubles.
template <class T> LPSNMR_INLINE Pack look_up(const T *table, Pack index) {
  int k[width];
  store_truncated(k, index);
  return _mm256_setr_pd(double(table[k[0]]), double(table[k[1]]), double(table[k[2]]),
                        double(table[k[3]]));
}

LPSNMR_INLINE void transpose(Pack &a, Pack &b, Pack &c, Pack &d) {
  const Pack ab = _mm256_unpacklo_pd(a, b), ab2 = _mm256_unpackhi_pd(a, b);
  const Pack cd = _mm256_unpacklo_pd(c, d), cd2 = _mm256_unpackhi_pd(c, d);
  a = _mm256_permute2f128_pd(ab, cd, 0x20);
  b = _mm256_permute2f128_pd(ab2, cd2, 0x20);
  c = _mm256_permute2f128_pd(ab, cd, 0x31);
  d = _mm256_permute2f128_pd(ab2, cd2, 0x31);
}
/// The sums of four packs.
LPSNMR_INLINE void sum_each(Pack a, Pack b, Pack c, Pack d, double *out) {
  transpose(a, b, c, d);
  store(out, (a + b) + (c + d));
}
/// Records of four doubles at the given indices, turned into four packs.
LPSNMR_INLINE void load_records(const double *base, const int *index, Pack &x, Pack &y, Pack &z,
                                Pack &w) {
  x = load(base + 4 * std::ptrdiff_t(index[0]));
  y = load(base + 4 * std::ptrdiff_t(index[1]));
  z = load(base + 4 * std::ptrdiff_t(index[2]));
  w = load(base + 4 * std::ptrdiff_t(index[3]));
  transpose(x, y, z, w);
}

/// Where the four lanes kept by a mask come from, as halves of doubles and as bytes of ints. Lanes
/// behind them get lane 0, whole: two halves that do not belong together could be no number.
struct CompressTable {
  alignas(32) int halves[16][8];
  alignas(16) signed char bytes[16][16];
  constexpr CompressTable() : halves(), bytes() {
    for (int m = 0; m < 16; ++m) {
      for (int to = 0; to < 4; ++to) halves[m][2 * to + 1] = 1;
      for (int lane = 0, to = 0; lane < 4; ++lane) {
        if (!(m >> lane & 1)) continue;
        for (int half = 0; half < 2; ++half) halves[m][2 * to + half] = 2 * lane + half;
        for (int byte = 0; byte < 4; ++byte)
          bytes[m][4 * to + byte] = static_cast<signed char>(4 * lane + byte);
        ++to;
      }
    }
  }
};
constexpr CompressTable compress_table{};

/// Write the lanes of the mask one after another; may write a whole pack.
LPSNMR_INLINE void compress(double *p, Mask m, Pack a) {
  const __m256i from =
      _mm256_load_si256(reinterpret_cast<const __m256i *>(compress_table.halves[bits(m)]));
  store(p, _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(a), from)));
}
LPSNMR_INLINE void compress(int *p, Mask m, const int *from) {
  const __m128i bytes =
      _mm_load_si128(reinterpret_cast<const __m128i *>(compress_table.bytes[bits(m)]));
  _mm_storeu_si128(
      reinterpret_cast<__m128i *>(p),
      _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from)), bytes));
}

typedef simd::Wide Four;

LPSNMR_INLINE void rows_to_packs(const simd::Wide *rows, Pack &a, Pack &b, Pack &c, Pack &d) {
  a = Pack(rows[0].v);
  b = Pack(rows[1].v);
  c = Pack(rows[2].v);
  d = Pack(rows[3].v);
  transpose(a, b, c, d);
}
LPSNMR_INLINE void packs_to_rows(Pack x, Pack y, Pack z, simd::Wide *rows) {
  Pack w = splat(0.0);
  transpose(x, y, z, w);
  rows[0].v = x;
  rows[1].v = y;
  rows[2].v = z;
  rows[3].v = w;
}
