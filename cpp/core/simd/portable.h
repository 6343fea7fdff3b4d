// Two doubles at once, with nothing but the compiler's vectors; included inside a namespace of
// versions.h.

typedef double Pack __attribute__((vector_size(16)));
typedef long long Mask __attribute__((vector_size(16)));
constexpr int width = 2;

LPSNMR_INLINE Pack splat(double x) {
  return Pack{x, x};
}
LPSNMR_INLINE Pack load(const double *p) {
  return Pack{p[0], p[1]};
}
LPSNMR_INLINE void store(double *p, Pack a) {
  p[0] = a[0];
  p[1] = a[1];
}
LPSNMR_INLINE Pack fma(Pack a, Pack b, Pack c) {
  return a * b + c;
}
LPSNMR_INLINE Pack minimum(Pack a, Pack b) {
  return Pack{a[0] < b[0] ? a[0] : b[0], a[1] < b[1] ? a[1] : b[1]};
}
LPSNMR_INLINE Pack maximum(Pack a, Pack b) {
  return Pack{a[0] > b[0] ? a[0] : b[0], a[1] > b[1] ? a[1] : b[1]};
}
LPSNMR_INLINE Mask less(Pack a, Pack b) {
  return a < b;
}
LPSNMR_INLINE Mask both(Mask a, Mask b) {
  return a & b;
}
LPSNMR_INLINE Mask first_lanes(int n) {
  return Mask{n > 0 ? -1 : 0, n > 1 ? -1 : 0};
}
LPSNMR_INLINE unsigned bits(Mask m) {
  return unsigned(m[0] & 1) | unsigned(m[1] & 2);
}
LPSNMR_INLINE Pack keep(Mask m, Pack a) {
  return Pack(m & Mask(a));
}
LPSNMR_INLINE double sum(Pack a) {
  return a[0] + a[1];
}
/// The sums of four packs.
LPSNMR_INLINE void sum_each(Pack a, Pack b, Pack c, Pack d, double *out) {
  out[0] = sum(a);
  out[1] = sum(b);
  out[2] = sum(c);
  out[3] = sum(d);
}

/// r = sqrt(r2) and 1/r.
LPSNMR_INLINE void inverse_root(Pack r2, Pack &r, Pack &inverse) {
  r = Pack{std::sqrt(r2[0]), std::sqrt(r2[1])};
  inverse = splat(1.0) / r;
}

LPSNMR_INLINE void store_truncated(int *p, Pack a) {
  p[0] = static_cast<int>(a[0]);
  p[1] = static_cast<int>(a[1]);
}
/// Drop the fraction of numbers in [0, 2^31).
LPSNMR_INLINE Pack truncated(Pack a) {
  return Pack{double(static_cast<int>(a[0])), double(static_cast<int>(a[1]))};
}
/// Entries of a table, as doubles.
template <class T> LPSNMR_INLINE Pack look_up(const T *table, Pack index) {
  return Pack{double(table[static_cast<int>(index[0])]), double(table[static_cast<int>(index[1])])};
}

/// Records of four doubles at the given indices, turned into four packs.
LPSNMR_INLINE void load_records(const double *base, const int *index, Pack &x, Pack &y, Pack &z,
                                Pack &w) {
  const double *a = base + 4 * std::ptrdiff_t(index[0]), *b = base + 4 * std::ptrdiff_t(index[1]);
  x = Pack{a[0], b[0]};
  y = Pack{a[1], b[1]};
  z = Pack{a[2], b[2]};
  w = Pack{a[3], b[3]};
}

/// Write the lanes of the mask one after another.
template <class T, class From> LPSNMR_INLINE void compress(T *p, Mask m, const From &from) {
  for (unsigned left = bits(m); left != 0; left &= left - 1) *p++ = from[__builtin_ctz(left)];
}

typedef simd::Narrow Four;

LPSNMR_INLINE void rows_to_packs(const simd::Narrow *rows, Pack &a, Pack &b, Pack &c, Pack &d) {
  a = Pack{rows[0].v[0], rows[1].v[0]};
  b = Pack{rows[0].v[1], rows[1].v[1]};
  c = Pack{rows[0].w[0], rows[1].w[0]};
  d = Pack{rows[0].w[1], rows[1].w[1]};
}
LPSNMR_INLINE void packs_to_rows(Pack x, Pack y, Pack z, simd::Narrow *rows) {
  for (int lane = 0; lane < width; ++lane) {
    rows[lane].v = Pack{x[lane], y[lane]};
    rows[lane].w = Pack{z[lane], 0.0};
  }
}
