// SHA-256 of a text, the identity of a file.
#pragma once

#include <string>

namespace lpsnmr {

/// Return the SHA-256 digest as 64 lower-case hexadecimal digits.
///
/// NIST FIPS 180-4, doi:10.6028/NIST.FIPS.180-4
std::string sha256(const std::string &text);

} // namespace lpsnmr
