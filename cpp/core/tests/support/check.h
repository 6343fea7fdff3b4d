// The few lines the C++ tests need: count failures, say where.
#pragma once

#include <cmath>
#include <cstdio>

static int failures = 0;

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      std::printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                          \
      ++failures;                                                                                  \
    }                                                                                              \
  } while (0)

#define CHECK_CLOSE(a, b, tolerance)                                                               \
  do {                                                                                             \
    const double left = (a), right = (b);                                                          \
    if (!(std::abs(left - right) <= (tolerance))) {                                                \
      std::printf("%s:%d: %s = %.17g, %s = %.17g\n", __FILE__, __LINE__, #a, left, #b, right);     \
      ++failures;                                                                                  \
    }                                                                                              \
  } while (0)
