// Four doubles at once, as one 32-byte vector or as two 16-byte ones.
//
// Loops use `Four`, which is one of them: `Wide` is for functions compiled for AVX2 or AVX-512,
// `Narrow` for the baseline x86-64 (and any other) instruction set, where GCC would otherwise break
// 32-byte vectors into memory traffic. All operations are forced inline, so that they take on the
// instruction set of the function they are used in.
#pragma once

#include "core/simd/inline.h"

#include <cstring>

namespace lpsnmr::simd {

struct Wide {
  typedef double Raw __attribute__((vector_size(32)));
  typedef long long Mask __attribute__((vector_size(32)));
  Raw v;

  LPSNMR_INLINE void load(const double *p) { std::memcpy(&v, p, sizeof v); }
  LPSNMR_INLINE void store(double *p) const { std::memcpy(p, &v, sizeof v); }
  LPSNMR_INLINE void load_floats(const float *p) {
    typedef float Floats __attribute__((vector_size(16)));
    Floats floats;
    std::memcpy(&floats, p, sizeof floats);
    v = __builtin_convertvector(floats, Raw);
  }
  LPSNMR_INLINE void set(double x) { v = Raw{x, x, x, x}; }
  LPSNMR_INLINE void negate() { v = -v; }
  LPSNMR_INLINE double operator[](int k) const { return v[k]; }
  /// Entry m of the result is the sum of the four entries of argument m.
  LPSNMR_INLINE void row_sums(const Wide &a, const Wide &b, const Wide &c, const Wide &d) {
    const Mask even{0, 4, 2, 6}, odd{1, 5, 3, 7}, low{0, 1, 4, 5}, high{2, 3, 6, 7};
    const Raw ab = __builtin_shuffle(a.v, b.v, even) + __builtin_shuffle(a.v, b.v, odd);
    const Raw cd = __builtin_shuffle(c.v, d.v, even) + __builtin_shuffle(c.v, d.v, odd);
    v = __builtin_shuffle(ab, cd, low) + __builtin_shuffle(ab, cd, high);
  }
};

struct Narrow {
  typedef double Raw __attribute__((vector_size(16)));
  typedef long long Mask __attribute__((vector_size(16)));
  Raw v, w;

  LPSNMR_INLINE void load(const double *p) {
    std::memcpy(&v, p, sizeof v);
    std::memcpy(&w, p + 2, sizeof w);
  }
  LPSNMR_INLINE void store(double *p) const {
    std::memcpy(p, &v, sizeof v);
    std::memcpy(p + 2, &w, sizeof w);
  }
  LPSNMR_INLINE void load_floats(const float *p) {
    v = Raw{double(p[0]), double(p[1])};
    w = Raw{double(p[2]), double(p[3])};
  }
  LPSNMR_INLINE void set(double x) { v = w = Raw{x, x}; }
  LPSNMR_INLINE void negate() {
    v = -v;
    w = -w;
  }
  LPSNMR_INLINE double operator[](int k) const { return k < 2 ? v[k] : w[k - 2]; }
  LPSNMR_INLINE void row_sums(const Narrow &a, const Narrow &b, const Narrow &c, const Narrow &d) {
    const Mask low{0, 2}, high{1, 3};
    const Raw sa = a.v + a.w, sb = b.v + b.w, sc = c.v + c.w, sd = d.v + d.w;
    v = __builtin_shuffle(sa, sb, low) + __builtin_shuffle(sa, sb, high);
    w = __builtin_shuffle(sc, sd, low) + __builtin_shuffle(sc, sd, high);
  }
};

// out = a * b, out += a * b and the same with a scalar; passed by reference, because vectors passed
// by value would change the calling convention between instruction sets.
LPSNMR_INLINE void multiply(const Wide &a, const Wide &b, Wide &out) {
  out.v = a.v * b.v;
}
LPSNMR_INLINE void multiply(double a, const Wide &b, Wide &out) {
  out.v = a * b.v;
}
LPSNMR_INLINE void add_product(double a, const Wide &b, Wide &out) {
  out.v += a * b.v;
}
LPSNMR_INLINE void add_product(const Wide &a, const Wide &b, Wide &out) {
  out.v += a.v * b.v;
}
LPSNMR_INLINE void add(const Wide &a, Wide &out) {
  out.v += a.v;
}
LPSNMR_INLINE void subtract(const Wide &a, Wide &out) {
  out.v -= a.v;
}

LPSNMR_INLINE void multiply(const Narrow &a, const Narrow &b, Narrow &out) {
  out.v = a.v * b.v;
  out.w = a.w * b.w;
}
LPSNMR_INLINE void multiply(double a, const Narrow &b, Narrow &out) {
  out.v = a * b.v;
  out.w = a * b.w;
}
LPSNMR_INLINE void add_product(double a, const Narrow &b, Narrow &out) {
  out.v += a * b.v;
  out.w += a * b.w;
}
LPSNMR_INLINE void add_product(const Narrow &a, const Narrow &b, Narrow &out) {
  out.v += a.v * b.v;
  out.w += a.w * b.w;
}
LPSNMR_INLINE void add(const Narrow &a, Narrow &out) {
  out.v += a.v;
  out.w += a.w;
}
LPSNMR_INLINE void subtract(const Narrow &a, Narrow &out) {
  out.v -= a.v;
  out.w -= a.w;
}

// a = a * u + next
LPSNMR_INLINE void horner(double u, const Wide &next, Wide &a) {
  a.v = a.v * u + next.v;
}
LPSNMR_INLINE void horner(double u, const Narrow &next, Narrow &a) {
  a.v = a.v * u + next.v;
  a.w = a.w * u + next.w;
}

} // namespace lpsnmr::simd
