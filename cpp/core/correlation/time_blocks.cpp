#include "core/correlation/time_blocks.h"

#include <utility>

namespace lpsnmr::correlation {

void TimeBlocks::advance(std::int64_t index) {
  if (index >= length_ * static_cast<std::int64_t>(max_blocks_)) merge_pairs();
  const auto wanted = static_cast<std::size_t>(index / length_) + 1;
  while (blocks_.size() < wanted)
    blocks_.push_back({std::vector<double>(n_sums_, 0.0), std::vector<std::int64_t>(n_counts_, 0)});
}

void TimeBlocks::widen(std::size_t sums, std::size_t counts) {
  n_sums_ = sums;
  n_counts_ = counts;
  for (Block &block : blocks_) {
    block.sums.resize(sums, 0.0);
    block.counts.resize(counts, 0);
  }
}

void TimeBlocks::merge_pairs() {
  const std::size_t half = blocks_.size() / 2;
  for (std::size_t b = 0; b < half; ++b) {
    Block merged = std::move(blocks_[2 * b]);
    const Block &later = blocks_[2 * b + 1];
    for (std::size_t s = 0; s < merged.sums.size(); ++s) merged.sums[s] += later.sums[s];
    for (std::size_t s = 0; s < merged.counts.size(); ++s) merged.counts[s] += later.counts[s];
    blocks_[b] = std::move(merged);
  }
  blocks_.resize(half);
  length_ *= 2;
}

void TimeBlocks::restore(std::int64_t length, std::vector<Block> blocks) {
  length_ = length;
  blocks_ = std::move(blocks);
}

} // namespace lpsnmr::correlation
