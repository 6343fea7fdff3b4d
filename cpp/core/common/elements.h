// Chemical symbols and atomic numbers.
#pragma once

#include <string>

namespace lpsnmr {

/// Atomic number of a chemical symbol, or 0 for what is none.
int atomic_number(const std::string &symbol);

/// Chemical symbol of an atomic number, or "?".
const char *chemical_symbol(int number);

} // namespace lpsnmr
