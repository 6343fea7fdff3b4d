// Compiles LPSNMR_LOOPS, the header of a kernel's loops, once per instruction set, each time in a
// namespace of its own inside lpsnmr::LPSNMR_LOOPS_NAMESPACE, so that one binary holds every
// version and LPSNMR_SIMD, or the processor it runs on, decides (instructions.h). Included by the
// one source file of a kernel, after everything else.
//
// The loops may use the packs of doubles of portable.h, avx2.h and avx512.h, `Four` of
// four_doubles.h, or plain loops over arrays, which the compiler turns into vectors. What they call
// is either inline here or has no arithmetic: functions of other headers are compiled once only.

#include "core/simd/four_doubles.h"
#include "core/simd/instructions.h"
#include "core/simd/target.h"

#include <cmath>
#include <cstddef>

#if defined(LPSNMR_X86_VERSIONS) && !defined(LPSNMR_EMULATED_INTRINSICS)
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
#if !defined(LPSNMR_EMULATED_INTRINSICS)
#pragma GCC target("avx2,fma,popcnt")
#endif
namespace avx2 {
#include "core/simd/avx2.h"

#include "core/simd/contraction.h"

#include LPSNMR_LOOPS
} // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#if !defined(LPSNMR_EMULATED_INTRINSICS)
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
