// A function marked LPSNMR_CLONES is compiled for several instruction sets; the machine picks one
// at load.
#pragma once

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) &&       \
    __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__)
#define LPSNMR_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define LPSNMR_CLONES
#endif
