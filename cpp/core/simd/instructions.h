// Instruction sets the inner loops are compiled for, and which of them is used.
#pragma once

#include <string>
#include <vector>

namespace lpsnmr::simd {

/// Versions of the loops of every kernel; the same numbers but for rounding.
enum class Instructions { portable, avx2, avx512 };

/// Those this processor and this build offer, best first.
std::vector<Instructions> available_instructions();

/// As LPSNMR_SIMD spells it.
std::string name(Instructions instructions);

/// What the environment variable LPSNMR_SIMD says (avx512, avx2 or portable), or the best where it
/// is unset or empty. Kernels ask when they are made, and keep to the answer.
///
/// @throws Error for a name that is unknown or that this processor or this build lacks
Instructions chosen_instructions();

} // namespace lpsnmr::simd
