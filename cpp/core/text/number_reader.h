// Numbers from text without locale or allocation.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <system_error>

namespace lpsnmr::text {

inline bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// Return the first character of [p, end) that is not blank, or end.
inline const char *skip_blank(const char *p, const char *end) {
  while (p < end && is_blank(*p)) ++p;
  return p;
}

/// Return the first blank of [p, end), or end.
inline const char *skip_word(const char *p, const char *end) {
  while (p < end && !is_blank(*p)) ++p;
  return p;
}

/// Read the whole word [begin, end) as a number. @return false when it is not one
template <typename Number> bool read_word(const char *begin, const char *end, Number &value) {
  if (begin < end && *begin == '+') ++begin;
  const auto [stop, code] = std::from_chars(begin, end, value);
  return code == std::errc() && stop == end && begin < end;
}

/// Read a short decimal such as -12.34567 exactly as from_chars does, but faster.
///
/// Up to 15 digits are an exact integer below 2^53 and the power of ten is exact, so the one
/// division rounds correctly (W. D. Clinger, PLDI 1990, doi:10.1145/93542.93557). Anything else is
/// left to from_chars.
inline bool read_word(const char *begin, const char *end, double &value) {
  static constexpr double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const char *p = begin;
  const bool negative = p < end && *p == '-';
  if (negative) ++p;
  unsigned long long digits = 0;
  int n_digits = 0, n_fraction = 0;
  for (; p < end && *p >= '0' && *p <= '9'; ++p, ++n_digits) digits = digits * 10 + (*p - '0');
  if (p < end && *p == '.') {
    for (++p; p < end && *p >= '0' && *p <= '9'; ++p, ++n_fraction)
      digits = digits * 10 + (*p - '0');
  }
  n_digits += n_fraction;
  if (p == end && n_digits > 0 && n_digits <= 15) {
    const double magnitude = static_cast<double>(digits) / powers[n_fraction];
    value = negative ? -magnitude : magnitude;
    return true;
  }
  if (begin < end && *begin == '+') ++begin;
  const auto [stop, code] = std::from_chars(begin, end, value);
  return code == std::errc() && stop == end && begin < end;
}

/// Read up to nine digits at p, which must be followed by another character in memory. @return
/// false for anything else; p is then undefined
template <typename Integer> bool read_plain_integer(const char *&p, Integer &value) {
  const char *begin = p;
  Integer digits = 0;
  for (; static_cast<unsigned char>(*p - '0') < 10 && p - begin < 10; ++p)
    digits = digits * 10 + (*p - '0');
  value = digits;
  return p > begin && p - begin <= 9;
}

/// Read a decimal of up to 15 digits at p, exactly as the read_word above; on the same terms as
/// read_plain_integer.
inline bool read_plain_decimal(const char *&p, double &value) {
  static constexpr double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const bool negative = *p == '-';
  if (negative) ++p;
  const char *begin = p;
  unsigned long long digits = 0;
  for (; static_cast<unsigned char>(*p - '0') < 10; ++p) digits = digits * 10 + (*p - '0');
  std::ptrdiff_t n_digits = p - begin, n_fraction = 0;
  if (*p == '.') {
    const char *fraction = ++p;
    for (; static_cast<unsigned char>(*p - '0') < 10; ++p) digits = digits * 10 + (*p - '0');
    n_fraction = p - fraction;
    n_digits += n_fraction;
  }
  if (n_digits < 1 || n_digits > 15) return false;
  const double magnitude = static_cast<double>(digits) / powers[n_fraction];
  value = negative ? -magnitude : magnitude;
  return true;
}

} // namespace lpsnmr::text
