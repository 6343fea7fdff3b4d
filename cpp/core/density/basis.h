// Which coefficient of which density block is which column of a fit.
#pragma once

#include "core/density/terms.h"

#include <string>
#include <vector>

namespace lpsnmr::density {

/// The blocks of a fit; their coefficients are the columns, block after block.
class Basis {
public:
  /// @param elements species 0, 1, ... of the caller; every centre and neighbour is among them
  /// @param blocks   coefficients need not be filled in
  /// @throws Error   for an unknown element
  Basis(const std::vector<std::string> &elements, std::vector<Block> blocks);

  /// A block and which columns its coefficients are.
  struct BlockColumns {
    Block block;
    Terms terms;
    int center, first_column;
    std::vector<int> species;                ///< (channels)
    std::vector<std::vector<double>> cubics; ///< (functions) from interval_cubics()
  };
  const std::vector<BlockColumns> &blocks() const { return blocks_; }
  int columns() const { return columns_; }
  int functions() const { return functions_; } ///< of all blocks together
  int species() const { return species_; }
  double cutoff() const { return cutoff_; }

private:
  std::vector<BlockColumns> blocks_;
  int columns_ = 0, functions_ = 0, species_ = 0;
  double cutoff_ = 0;
};

} // namespace lpsnmr::density
