// Sums per block of time in bounded memory: when full, neighbouring blocks merge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lpsnmr::correlation {

/// At most `max_blocks` blocks of equal length, each with a row of sums and a row of counts.
///
/// When the next sample would need one block more, blocks 2b and 2b + 1 become block b and the
/// length doubles, so that a long run ends with max_blocks/2 < blocks ≤ max_blocks.
class TimeBlocks {
public:
  struct Block {
    std::vector<double> sums;
    std::vector<std::int64_t> counts;
  };

  explicit TimeBlocks(std::size_t max_blocks = 32) : max_blocks_(max_blocks) {}

  /// Open the block of sample `index` (0, 1, 2, … in order) before anything is added for it.
  void advance(std::int64_t index);
  /// Lengthen the rows of every block; what is new starts at zero.
  void widen(std::size_t sums, std::size_t counts);
  /// Take over blocks made elsewhere.
  void restore(std::int64_t length, std::vector<Block> blocks);

  Block &current() { return blocks_.back(); }
  const std::vector<Block> &blocks() const { return blocks_; }
  std::size_t size() const { return blocks_.size(); }
  std::int64_t length() const { return length_; } ///< samples per block

private:
  void merge_pairs();

  std::size_t max_blocks_;
  std::size_t n_sums_ = 0, n_counts_ = 0;
  std::int64_t length_ = 1;
  std::vector<Block> blocks_;
};

} // namespace lpsnmr::correlation
