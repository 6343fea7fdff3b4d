// Export and import of an EchoCorrelator.
#include "core/correlation/echo.h"

#include <utility>

namespace lpsnmr::correlation {

namespace {

constexpr std::size_t components = 5;

/// Copy between (rows, n) and (n, stride), where row r of the first is column `first + r` of the
/// second.
void rows_to_columns(const double *rows, std::size_t n_rows, std::size_t n, double *columns,
                     std::size_t stride, std::size_t first) {
  for (std::size_t r = 0; r < n_rows; ++r)
    for (std::size_t s = 0; s < n; ++s) columns[s * stride + first + r] = rows[r * n + s];
}

void columns_to_rows(const double *columns, std::size_t stride, std::size_t first, double *rows,
                     std::size_t n_rows, std::size_t n) {
  for (std::size_t r = 0; r < n_rows; ++r)
    for (std::size_t s = 0; s < n; ++s) rows[r * n + s] = columns[s * stride + first + r];
}

} // namespace

EchoState EchoCorrelator::state() const {
  const std::size_t p = options_.points_per_level, n = options_.n_series;
  const std::size_t levels = levels_.size(), blocks = blocks_.size();
  EchoState state;
  state.options = options_;
  state.n_samples = n_samples_;
  state.block_length = blocks_.length();
  const std::size_t ring = p * components, sums = levels * p * outputs();
  state.series_history.resize(n * levels * ring);
  state.series_block_sum.resize(n * blocks * sums);
  for (std::size_t l = 0; l < levels; ++l) {
    state.level_count.push_back(levels_[l].count);
    rows_to_columns(levels_[l].ring.data(), ring, n, state.series_history.data(), levels * ring,
                    l * ring);
  }
  for (std::size_t b = 0; b < blocks; ++b) {
    const TimeBlocks::Block &block = blocks_.blocks()[b];
    state.block_count.insert(state.block_count.end(), block.counts.begin(), block.counts.end());
    rows_to_columns(block.sums.data(), sums, n, state.series_block_sum.data(), blocks * sums,
                    b * sums);
  }
  return state;
}

EchoCorrelator::EchoCorrelator(const EchoState &state) : EchoCorrelator(state.options) {
  const std::size_t p = options_.points_per_level, n = options_.n_series;
  const StateCheck check("state of an echo", "tensors");
  const std::size_t levels = state.level_count.size();
  const std::size_t blocks =
      check.blocks(options_, state.n_samples, state.block_length, state.level_count);
  check.size("series_history", state.series_history, n * levels * p * components);
  check.size("series_block_sum", state.series_block_sum, n * blocks * levels * p * outputs());
  check.size("block_count", state.block_count, blocks * levels * p);
  n_samples_ = state.n_samples;
  import_series(state, blocks);
}

void EchoCorrelator::import_series(const EchoState &state, std::size_t blocks) {
  const std::size_t p = options_.points_per_level, n = options_.n_series;
  const std::size_t levels = state.level_count.size();
  const std::size_t ring = p * components, sums = levels * p * outputs();
  for (std::size_t l = 0; l < levels; ++l) {
    add_level();
    levels_[l].count = state.level_count[l];
    columns_to_rows(state.series_history.data(), levels * ring, l * ring, levels_[l].ring.data(),
                    ring, n);
  }
  std::vector<TimeBlocks::Block> rows(blocks);
  for (std::size_t b = 0; b < blocks; ++b) {
    rows[b].sums.resize(sums * n);
    columns_to_rows(state.series_block_sum.data(), blocks * sums, b * sums, rows[b].sums.data(),
                    sums, n);
    const auto first = state.block_count.begin() + static_cast<std::ptrdiff_t>(b * levels * p);
    rows[b].counts.assign(first, first + static_cast<std::ptrdiff_t>(levels * p));
  }
  blocks_.restore(state.block_length, std::move(rows));
}

} // namespace lpsnmr::correlation
