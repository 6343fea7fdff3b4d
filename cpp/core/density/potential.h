// Density terms ready for evaluation: tables by species, products in the order of the inner loops.
#pragma once

#include "core/common/aligned.h"
#include "core/density/terms.h"

#include <string>
#include <vector>

namespace lpsnmr::density {

/// Radial functions for the neighbours of one species.
struct ChannelTable {
  int species = 0;
  int first = 0, functions = 0; ///< among the functions of the block
  int highest_l = 0;
  int row[3] = {0, 0, 0}; ///< position of the first function among the members of each l
  double start = 0, cutoff = 0, width = 0;
  double cells_per_length = 0, last_cell = 0;
  /// (intervals + 2, function, power): entry 0 lies below the first knot, the last one beyond the
  /// cutoff; both are zero
  AlignedVector<double> cubic;
};

/// One block of a centre. Arrays over products or functions are padded with zeros to a multiple of
/// eight.
struct BlockTable {
  std::vector<ChannelTable> channels;
  int members[3] = {0, 0, 0};         ///< functions with moments of order l
  int stride[3] = {0, 0, 0};          ///< the same, padded
  int products[3] = {0, 0, 0};        ///< first pair product of each l
  int product_count = 0;              ///< padded
  AlignedVector<double> pairs;        ///< (product) coefficients of three-body terms
  AlignedVector<double> cubes;        ///< (function, product) of four-body terms; empty without
  std::vector<double> full, gone;     ///< (function)
  double low = 0, high = 0, room = 1; ///< bounds of the energy
};

class Potential {
public:
  /// Blocks of centres that are not among the elements are left out, channels of such neighbours
  /// are empty.
  ///
  /// @param elements species 0, 1, ... of the caller
  Potential(const UfdFile &file, const std::vector<std::string> &elements);

  int species() const { return species_; }
  const std::vector<BlockTable> &blocks(int a) const { return blocks_[std::size_t(a)]; }
  /// Largest distance at which b is seen by a centre a; 0 where it is not.
  double reach(int a, int b) const { return reach_[std::size_t(a) * species_ + b]; }
  /// Largest distance at which a and b interact.
  double cutoff(int a, int b) const {
    return reach(a, b) > reach(b, a) ? reach(a, b) : reach(b, a);
  }
  double max_cutoff() const;
  const std::string &units() const { return units_; }

private:
  void add_block(const Block &block, const std::vector<std::string> &elements);

  int species_ = 0;
  std::string units_;
  std::vector<std::vector<BlockTable>> blocks_;
  std::vector<double> reach_;
};

} // namespace lpsnmr::density
