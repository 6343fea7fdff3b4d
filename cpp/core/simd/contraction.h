// The contraction of one triplet with vectors of four (Four); included inside namespace and target
// region of versions.h, after avx2.h or portable.h.

/// Add the whole parts; in lanes that nobody reads the sum may wrap around.
LPSNMR_INLINE void add_truncated(int *p, Pack a) {
  int whole[width];
  store_truncated(whole, a);
  for (int lane = 0; lane < width; ++lane)
    p[lane] = static_cast<int>(unsigned(p[lane]) + unsigned(whole[lane]));
}
/// The same int in all lanes.
LPSNMR_INLINE void fill(int *p, int a) {
  for (int lane = 0; lane < width; ++lane) p[lane] = a;
}
/// start, start + 1, ...
LPSNMR_INLINE void count_up(int *p, int start) {
  for (int lane = 0; lane < width; ++lane) p[lane] = start + lane;
}
/// a * factor + addend
LPSNMR_INLINE void multiply_add(int *p, const int *a, int factor, int addend) {
  for (int lane = 0; lane < width; ++lane) p[lane] = a[lane] * factor + addend;
}

/// The same for a table that can be read up to eight entries; the index is below eight.
LPSNMR_INLINE Pack look_up_short(const double *table, Pack index) {
  return look_up(table, index);
}

/// Records of four doubles with the indices in a pack, turned into four packs.
LPSNMR_INLINE void look_up_records(const double *base, Pack index, Pack &x, Pack &y, Pack &z,
                                   Pack &w) {
  int k[width];
  store_truncated(k, index);
  load_records(base, k, x, y, z, w);
}

/// Add vectors to the first three of four doubles at the given indices, at most `count`.
LPSNMR_INLINE void add_vectors(double *base, const int *index, int count, Pack x, Pack y, Pack z) {
  Four rows[width];
  packs_to_rows(x, y, z, rows);
  for (int lane = 0; lane < width && lane < count; ++lane) {
    double *const to = base + 4 * std::ptrdiff_t(index[lane]);
    Four sum;
    sum.load(to);
    add(rows[lane], sum);
    sum.store(to);
  }
}

/// Collects the triplets of one batch; energy and slopes come out as packs over the lanes.
struct Contraction {
  Four value[width], ij[width], ik[width]; // coefficients of the powers of r_jk

  LPSNMR_INLINE void clear() {
    for (int lane = 0; lane < width; ++lane)
      for (Four *part : {value, ij, ik}) part[lane].set(0.0);
  }
  LPSNMR_INLINE void add(int lane, const double *block, double u_ij, double u_ik) {
    Four t, t_ij, t_ik;
    for (int q = 3; q >= 0; --q) {
      Four h, slope, next;
      h.load(block + 48 + 4 * q);
      slope = h;
      next.load(block + 32 + 4 * q);
      horner(u_ij, next, h);
      horner(u_ij, h, slope);
      next.load(block + 16 + 4 * q);
      horner(u_ij, next, h);
      horner(u_ij, h, slope);
      next.load(block + 4 * q);
      horner(u_ij, next, h);
      if (q == 3) {
        t = t_ik = h;
        t_ij = slope;
        continue;
      }
      horner(u_ik, h, t);
      horner(u_ik, slope, t_ij);
      if (q > 0) horner(u_ik, t, t_ik);
    }
    value[lane] = t;
    ij[lane] = t_ij;
    ik[lane] = t_ik;
  }
  /// One of the packs of coefficients at u.
  static LPSNMR_INLINE Pack evaluate(const Four *part, Pack u) {
    Pack a, b, c, d;
    rows_to_packs(part, a, b, c, d);
    return fma(fma(fma(d, u, c), u, b), u, a);
  }
  LPSNMR_INLINE void finish(Pack u, Pack &energy, Pack &slope_ij, Pack &slope_ik,
                            Pack &slope_jk) const {
    Pack a, b, c, d;
    rows_to_packs(value, a, b, c, d);
    const Pack dc = fma(d, u, c), dcb = fma(dc, u, b);
    energy = fma(dcb, u, a);
    slope_jk = fma(fma(d, u, dc), u, dcb);
    slope_ij = evaluate(ij, u);
    slope_ik = evaluate(ik, u);
  }
};
