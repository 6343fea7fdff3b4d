// Compiles LPSNMR_LOOPS, the header of a kernel's loops, once per instruction set, each time in a
// namespace of its own, so that one binary holds every version and the processor it runs on
// decides. Included by ufp_kernel.cpp and density_kernel.cpp, after everything else. With
// LPSNMR_EMULATE_SIMD, which the tests use, the intrinsics are SIMDe's, and every version runs on
// every processor.

#include "core/simd/four_doubles.h"

#include <cmath>
#include <cstddef>

#if defined(LPSNMR_EMULATE_SIMD)
#define LPSNMR_X86_VERSIONS 1
#define LPSNMR_SUPPORTS(feature) true
#include "core/tests/support/emulated_simd.h"
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LPSNMR_X86_VERSIONS 1
#define LPSNMR_SUPPORTS(feature) __builtin_cpu_supports(feature)
// GCC 12's own headers of intrinsics begin from "undefined" vectors
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#endif

namespace lpsnmr::LPSNMR_LOOPS_NAMESPACE {
namespace {

namespace portable {
#include "core/simd/portable.h"

#include "core/simd/contraction.h"

#include LPSNMR_LOOPS
} // namespace portable

#if defined(LPSNMR_X86_VERSIONS)
#pragma GCC push_options
#if !defined(LPSNMR_EMULATE_SIMD)
#pragma GCC target("avx2,fma,popcnt")
#endif
namespace avx2 {
#include "core/simd/avx2.h"

#include "core/simd/contraction.h"

#include LPSNMR_LOOPS
} // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#if !defined(LPSNMR_EMULATE_SIMD)
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,popcnt,prefer-vector-width=512")
#endif
namespace avx512 {
#include "core/simd/avx512.h"

#include LPSNMR_LOOPS
} // namespace avx512
#pragma GCC pop_options

/// The version of a function of the loops.
#define LPSNMR_VERSION(function, instructions)                                                     \
  ((instructions) == ::lpsnmr::simd::Instructions::avx512 ? avx512::function                       \
   : (instructions) == ::lpsnmr::simd::Instructions::avx2 ? avx2::function                         \
                                                          : portable::function)
#else
#define LPSNMR_VERSION(function, instructions) (static_cast<void>(instructions), portable::function)
#endif

} // namespace
} // namespace lpsnmr::LPSNMR_LOOPS_NAMESPACE
