// Functions that take on the instruction set of the function they are used in.
#pragma once

#define LPSNMR_INLINE inline __attribute__((always_inline))
