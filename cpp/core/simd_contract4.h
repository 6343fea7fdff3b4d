// The contraction of one triplet with vectors of four (Four); included inside namespace and target
// region of ufp_kernel.cpp, after simd_avx2.h or simd_portable.h.

/// Add the whole parts; in lanes that nobody reads the sum may wrap around.
LPSNMR_INLINE void add_truncated(int *p, Pack a) {
  int whole[width];
  store_truncated(whole, a);
  for (int lane = 0; lane < width; ++lane)
    p[lane] = static_cast<int>(unsigned(p[lane]) + unsigned(whole[lane]));
}
/// The sums of four packs.
LPSNMR_INLINE void sum_each(Pack a, Pack b, Pack c, Pack d, double *out) {
  out[0] = sum(a);
  out[1] = sum(b);
  out[2] = sum(c);
  out[3] = sum(d);
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

LPSNMR_INLINE void evaluate_four(const double *p, double u, Four &out) {
  Four b, c, d;
  out.load(p);
  b.load(p + 8);
  c.load(p + 16);
  d.load(p + 24);
  add_product(u, d, c);
  add_product(u, c, b);
  add_product(u, b, out);
}

/// Basis of one neighbour: four values, four slopes.
LPSNMR_INLINE void expand_basis(const double *p, double u, double *basis) {
  Four value, slope;
  evaluate_four(p, u, value);
  evaluate_four(p + 4, u, slope);
  value.store(basis);
  slope.store(basis + 4);
}

/// Collects the triplets of one batch; energy and slopes come out as packs over the lanes.
struct Contraction {
  Four sums[width];

  LPSNMR_INLINE void clear() {
    for (int lane = 0; lane < width; ++lane) sums[lane].set(0.0);
  }
  LPSNMR_INLINE void add(int lane, const double *c, std::size_t row_a, std::size_t row_b,
                         const double *ij, const double *ik, const double *polynomials_jk,
                         double u) {
    Four t, t_ij, t_ik;
    t.set(0.0);
    t_ij.set(0.0);
    t_ik.set(0.0);
    for (int a = 0; a < 4; ++a, c += row_a) {
      Four row, s, s_ik;
      row.load(c);
      multiply(ik[0], row, s);
      multiply(ik[4], row, s_ik);
      for (std::size_t b = 1; b < 4; ++b) {
        row.load(c + b * row_b);
        add_product(ik[b], row, s);
        add_product(ik[b + 4], row, s_ik);
      }
      add_product(ij[a], s, t);
      add_product(ij[a + 4], s, t_ij);
      add_product(ij[a], s_ik, t_ik);
    }
    Four value, slope, products[4];
    evaluate_four(polynomials_jk, u, value);
    evaluate_four(polynomials_jk + 4, u, slope);
    multiply(t, value, products[0]);
    multiply(t_ij, value, products[1]);
    multiply(t_ik, value, products[2]);
    multiply(t, slope, products[3]);
    sums[lane].row_sums(products[0], products[1], products[2], products[3]);
  }
  LPSNMR_INLINE void finish(Pack &energy, Pack &ij, Pack &ik, Pack &jk) const {
    rows_to_packs(sums, energy, ij, ik, jk);
  }
};
