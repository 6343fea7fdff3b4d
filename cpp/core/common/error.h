// The one exception type of the core.
#pragma once

#include <stdexcept>
#include <string>

namespace lpsnmr {

/// Thrown for bad input; the message says what, expected, got and where.
class Error : public std::runtime_error {
public:
  explicit Error(const std::string &message) : std::runtime_error(message) {}
};

} // namespace lpsnmr
