#include "ufp_kernel.h"

#include "simd4.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

// One binary holds every version; the processor it runs on decides. The loops are compiled once per
// instruction set, in a namespace of their own. With LPSNMR_EMULATE_SIMD, which the tests use, the
// intrinsics are SIMDe's, and every version runs on every processor.
#if defined(LPSNMR_EMULATE_SIMD)
#define LPSNMR_X86_VERSIONS 1
#define LPSNMR_SUPPORTS(feature) true
#include "tests/emulated_simd.h"
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LPSNMR_X86_VERSIONS 1
#define LPSNMR_SUPPORTS(feature) __builtin_cpu_supports(feature)
// GCC 12's own headers of intrinsics begin from "undefined" vectors
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#endif

namespace lpsnmr {
namespace {

namespace portable {
#include "simd_portable.h"

#include "simd_contract4.h"

#include "ufp_center_loops.h"
} // namespace portable

#if defined(LPSNMR_X86_VERSIONS)
#pragma GCC push_options
#if !defined(LPSNMR_EMULATE_SIMD)
#pragma GCC target("avx2,fma,popcnt")
#endif
namespace avx2 {
#include "simd_avx2.h"

#include "simd_contract4.h"

#include "ufp_center_loops.h"
} // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#if !defined(LPSNMR_EMULATE_SIMD)
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,popcnt,prefer-vector-width=512")
#endif
namespace avx512 {
#include "simd_avx512.h"

#include "ufp_center_loops.h"
} // namespace avx512
#pragma GCC pop_options
#endif

UfpKernel::Function function_for(Instructions instructions) {
#if defined(LPSNMR_X86_VERSIONS)
  if (instructions == Instructions::avx512) return avx512::evaluate_center;
  if (instructions == Instructions::avx2) return avx2::evaluate_center;
#endif
  static_cast<void>(instructions);
  return portable::evaluate_center;
}

} // namespace

std::vector<Instructions> available_instructions() {
  std::vector<Instructions> out;
#if defined(LPSNMR_X86_VERSIONS)
  if (LPSNMR_SUPPORTS("avx512f") && LPSNMR_SUPPORTS("avx512vl") && LPSNMR_SUPPORTS("avx512dq") &&
      LPSNMR_SUPPORTS("avx512bw") && LPSNMR_SUPPORTS("fma"))
    out.push_back(Instructions::avx512);
  if (LPSNMR_SUPPORTS("avx2") && LPSNMR_SUPPORTS("fma")) out.push_back(Instructions::avx2);
#endif
  out.push_back(Instructions::portable);
  return out;
}

UfpKernel::UfpKernel(const UfpPotential &potential, Instructions instructions)
    : tables_(potential), blocks_(tables_), instructions_(instructions),
      function_(function_for(instructions)) {
  center_.first.resize(std::size_t(tables_.species()) + 1);
  make_room(32);
}

void UfpKernel::make_room(std::size_t neighbors) {
  constexpr std::size_t padding = 8; // a whole vector may be read or written from any entry
  const std::size_t room = std::max(neighbors, 2 * center_.room), n = room + padding;
  for (AlignedVector<double> *array :
       {&center_.x, &center_.y, &center_.z, &center_.distance, &center_.inverse, &center_.force_x,
        &center_.force_y, &center_.force_z, &center_.species, &center_.weight, &center_.radial})
    array->resize(n, 0.0);
  center_.index.resize(n, 0);
  const std::size_t grids = std::size_t(std::max(tables_.grids(), 1));
  center_.entry.resize(grids * room + padding, 0);
  center_.u.resize(grids * room + padding, 0.0);
  center_.room = room;
}

double UfpKernel::memory_usage() const {
  const std::size_t grids = std::size_t(tables_.grids());
  return blocks_.memory_usage() +
         double(center_.room) * (12.0 + double(grids) * 1.5) * sizeof(double);
}

} // namespace lpsnmr
