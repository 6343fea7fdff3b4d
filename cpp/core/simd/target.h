// Which versions of the loops a build holds, and how it asks the processor for them.
//
// A build may bring intrinsics of its own, which every processor runs: it declares them under their
// usual names and defines LPSNMR_EMULATED_INTRINSICS, before anything else is included.
#pragma once

#if defined(LPSNMR_EMULATED_INTRINSICS)
#define LPSNMR_X86_VERSIONS 1
#define LPSNMR_SUPPORTS(feature) true
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LPSNMR_X86_VERSIONS 1
#define LPSNMR_SUPPORTS(feature) __builtin_cpu_supports(feature)
#endif
