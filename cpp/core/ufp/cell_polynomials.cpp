#include "core/ufp/cell_polynomials.h"

namespace lpsnmr::ufp {

CellPolynomials::CellPolynomials(const Tables &tables) : values_(size, 0.0) {
  for (int a = 0; a < tables.species(); ++a)
    numbers_.emplace_back(std::size_t(tables.center(a).cells), -1);
}

int CellPolynomials::make(const Tables &tables, int center, int cell) {
  double block[size];
  if (!tables.polynomial(center, cell, block)) return 0;
  const std::size_t number = values_.size() / size;
  values_.insert(values_.end(), block, block + size);
  return static_cast<int>(number);
}

double CellPolynomials::memory_usage() const {
  double bytes = double(values_.capacity()) * sizeof(double);
  for (const std::vector<int> &numbers : numbers_) bytes += double(numbers.size()) * sizeof(int);
  return bytes;
}

} // namespace lpsnmr::ufp
