// Export and import of a MultiTau accumulator; the order of values in a state is independent of
// where the window of history happens to stand, so equal inputs give equal states.
#include "core/correlation/multi_tau.h"

#include <algorithm>
#include <utility>

namespace lpsnmr::correlation {

MultiTauState MultiTau::state() const {
  const std::size_t p = options_.points_per_level;
  const std::size_t n = options_.n_series, c = options_.n_components;
  const std::size_t levels = levels_.size(), blocks = blocks_.size();
  MultiTauState state;
  state.options = options_;
  state.n_samples = n_samples_;
  state.block_length = blocks_.length();
  state.series_history.assign(n * levels * c * p, 0.0);
  state.series_partial.assign(n * levels * c, 0.0);
  state.series_block_sum.assign(n * blocks * levels * p, 0.0);
  state.block_count.assign(blocks * levels * p, 0);
  for (std::size_t l = 0; l < levels; ++l) {
    const Level &level = levels_[l];
    state.level_count.push_back(level.count);
    const std::size_t known = std::min(level.fill, p);
    for (std::size_t s = 0; s < n; ++s)
      for (std::size_t d = 0; d < c; ++d) {
        const double *from = level.history.data() + (s * c + d) * 2 * p + level.fill - known;
        double *to = state.series_history.data() + ((s * levels + l) * c + d + 1) * p - known;
        std::copy(from, from + known, to);
        state.series_partial[(s * levels + l) * c + d] = level.partial[s * c + d];
      }
  }
  for (std::size_t b = 0; b < blocks; ++b)
    for (std::size_t l = 0; l < levels; ++l) {
      const TimeBlocks::Block &block = blocks_.blocks()[b];
      const std::int64_t *counts = block.counts.data() + l * p;
      std::reverse_copy(counts, counts + p, state.block_count.data() + (b * levels + l) * p);
      for (std::size_t s = 0; s < n; ++s) {
        const double *sums = block.sums.data() + (l * n + s) * p;
        std::reverse_copy(sums, sums + p,
                          state.series_block_sum.data() + ((s * blocks + b) * levels + l) * p);
      }
    }
  state.series_sum = sum_;
  state.series_sum_of_squares = sum_of_squares_;
  return state;
}

MultiTau::MultiTau(const MultiTauState &state) : MultiTau(state.options) {
  const std::size_t p = options_.points_per_level;
  const std::size_t n = options_.n_series, c = options_.n_components;
  const StateCheck check("state of a correlator", "values");
  const std::size_t levels = state.level_count.size();
  const std::size_t blocks =
      check.blocks(options_, state.n_samples, state.block_length, state.level_count);
  check.size("series_history", state.series_history, n * levels * c * p);
  check.size("series_partial", state.series_partial, n * levels * c);
  check.size("series_block_sum", state.series_block_sum, n * blocks * levels * p);
  check.size("series_sum", state.series_sum, n * c);
  check.size("series_sum_of_squares", state.series_sum_of_squares, n * c);
  check.size("block_count", state.block_count, blocks * levels * p);
  n_samples_ = state.n_samples;
  sum_ = state.series_sum;
  sum_of_squares_ = state.series_sum_of_squares;
  import_series(state, blocks);
}

void MultiTau::import_series(const MultiTauState &state, std::size_t blocks) {
  const std::size_t p = options_.points_per_level;
  const std::size_t n = options_.n_series, c = options_.n_components;
  const std::size_t levels = state.level_count.size();
  for (std::size_t l = 0; l < levels; ++l) {
    add_level();
    Level &level = levels_.back();
    level.count = state.level_count[l];
    level.fill =
        static_cast<std::size_t>(std::min<std::int64_t>(level.count, static_cast<std::int64_t>(p)));
    for (std::size_t s = 0; s < n; ++s)
      for (std::size_t d = 0; d < c; ++d) {
        const double *from =
            state.series_history.data() + ((s * levels + l) * c + d + 1) * p - level.fill;
        std::copy(from, from + level.fill, level.history.data() + (s * c + d) * 2 * p);
        level.partial[s * c + d] = state.series_partial[(s * levels + l) * c + d];
      }
  }
  std::vector<TimeBlocks::Block> rows(blocks);
  for (std::size_t b = 0; b < blocks; ++b) {
    rows[b].sums.resize(levels * n * p);
    rows[b].counts.resize(levels * p);
    for (std::size_t l = 0; l < levels; ++l) {
      const std::int64_t *counts = state.block_count.data() + (b * levels + l) * p;
      std::reverse_copy(counts, counts + p, rows[b].counts.data() + l * p);
      for (std::size_t s = 0; s < n; ++s) {
        const double *sums = state.series_block_sum.data() + ((s * blocks + b) * levels + l) * p;
        std::reverse_copy(sums, sums + p, rows[b].sums.data() + (l * n + s) * p);
      }
    }
  }
  blocks_.restore(state.block_length, std::move(rows));
}

} // namespace lpsnmr::correlation
