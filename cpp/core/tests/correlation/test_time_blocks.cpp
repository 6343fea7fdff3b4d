// TimeBlocks: nothing is lost in merging, and every sample is in the block of its time.
#include "core/correlation/time_blocks.h"

#include <cstdio>

using namespace lpsnmr;

namespace {

int failures = 0;

void check(bool good, const char *what, std::int64_t samples) {
  if (good) return;
  ++failures;
  std::fprintf(stderr, "FAILED: %s after %lld samples\n", what, static_cast<long long>(samples));
}

/// Sample t adds t to the sum and 1 to the count: block b must hold exactly its own samples.
void test_merging(std::size_t max_blocks, std::int64_t samples) {
  correlation::TimeBlocks blocks(max_blocks);
  blocks.widen(1, 1);
  for (std::int64_t t = 0; t < samples; ++t) {
    blocks.advance(t);
    blocks.current().sums[0] += static_cast<double>(t);
    ++blocks.current().counts[0];
  }
  const std::int64_t length = blocks.length();
  check(blocks.size() <= max_blocks, "number of blocks", samples);
  check(2 * blocks.size() > max_blocks || length == 1, "blocks are as short as they may be",
        samples);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const std::int64_t first = static_cast<std::int64_t>(b) * length;
    const std::int64_t last = first + length < samples ? first + length : samples;
    const double sum = 0.5 * static_cast<double>((last - first) * (first + last - 1));
    check(blocks.blocks()[b].counts[0] == last - first, "count of a block", samples);
    check(blocks.blocks()[b].sums[0] == sum, "sum of a block", samples);
  }
}

void test_widening() {
  correlation::TimeBlocks blocks(4);
  blocks.widen(1, 1);
  blocks.advance(0);
  blocks.current().sums[0] = 3.0;
  blocks.widen(3, 2);
  const correlation::TimeBlocks::Block &block = blocks.blocks()[0];
  check(block.sums.size() == 3 && block.counts.size() == 2, "rows are widened", 1);
  check(block.sums[0] == 3.0 && block.sums[2] == 0.0, "what was there stays", 1);
  blocks.advance(1);
  check(blocks.current().sums.size() == 3, "new blocks are as wide", 2);
}

} // namespace

int main() {
  for (std::size_t max_blocks : {2u, 4u, 32u})
    for (std::int64_t samples : {1, 2, 3, 31, 32, 33, 64, 65, 1000, 4097})
      test_merging(max_blocks, samples);
  test_widening();
  if (failures == 0) std::puts("time_blocks: all passed");
  return failures == 0 ? 0 : 1;
}
