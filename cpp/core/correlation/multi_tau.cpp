#include "core/correlation/multi_tau.h"

#include "core/common/error.h"

#include <algorithm>
#include <limits>
#include <string>

namespace lpsnmr::correlation {

namespace {

/// scratch[j] = Σ_d kernel(newest value of d, row[d * stride + j]) for j < length.
template <LagKernel kernel>
void pair_row(const double *row, std::size_t stride, std::size_t components, std::size_t newest,
              std::size_t length, double *scratch) {
  std::fill(scratch, scratch + length, 0.0);
  for (std::size_t d = 0; d < components; ++d) {
    const double *past = row + d * stride;
    const double now = past[newest];
    for (std::size_t j = 0; j < length; ++j) {
      if constexpr (kernel == LagKernel::product) {
        scratch[j] += now * past[j];
      } else {
        const double difference = now - past[j];
        scratch[j] += difference * difference;
      }
    }
  }
}

} // namespace

MultiTau::MultiTau(const MultiTauOptions &options)
    : options_(options), blocks_(options.max_blocks) {
  if (options.n_components < 1) throw Error("n_components must be at least 1, got 0");
  options.check();
  sum_.assign(options.n_series * options.n_components, 0.0);
  sum_of_squares_ = sum_;
  scratch_.resize(options.points_per_level);
  coarse_.resize(sum_.size());
}

void MultiTau::add_level() {
  const std::size_t width = options_.n_series * options_.n_components;
  Level level;
  level.history.assign(width * 2 * options_.points_per_level, 0.0);
  level.partial.assign(width, 0.0);
  levels_.push_back(std::move(level));
  const std::size_t slots = levels_.size() * options_.points_per_level;
  blocks_.widen(slots * options_.n_series, slots);
}

void MultiTau::add(const double *values) {
  const std::size_t width = options_.n_series * options_.n_components;
  check_finite(values, options_.n_series, options_.n_components, n_samples_);
  for (std::size_t i = 0; i < width; ++i) {
    sum_[i] += values[i];
    sum_of_squares_[i] += values[i] * values[i];
  }
  blocks_.advance(n_samples_);
  ++n_samples_;
  const double *current = values;
  for (std::size_t l = 0; l < options_.max_levels; ++l) {
    if (!feed(l, current)) break;
    current = coarse_.data();
  }
}

/// Give level l one value; true when coarse_ then holds a value for level l + 1.
bool MultiTau::feed(std::size_t l, const double *values) {
  if (l == levels_.size()) add_level();
  Level &level = levels_[l];
  store(level, values);
  accumulate(l);
  return coarsen(level, values);
}

void MultiTau::store(Level &level, const double *values) {
  const std::size_t p = options_.points_per_level;
  const std::size_t rows = options_.n_series * options_.n_components;
  if (level.fill == 2 * p) { // slide the last p − 1 values to the front
    for (std::size_t r = 0; r < rows; ++r) {
      double *row = level.history.data() + r * 2 * p;
      std::copy(row + p + 1, row + 2 * p, row);
    }
    level.fill = p - 1;
  }
  for (std::size_t r = 0; r < rows; ++r) level.history[r * 2 * p + level.fill] = values[r];
  ++level.fill;
  ++level.count;
}

void MultiTau::accumulate(std::size_t l) {
  const Level &level = levels_[l];
  const std::size_t p = options_.points_per_level;
  const std::size_t known =
      static_cast<std::size_t>(std::min<std::int64_t>(level.count, static_cast<std::int64_t>(p)));
  if (known <= options_.first_lag(l)) return;
  const std::size_t length =
      known - options_.first_lag(l); // lags known − 1 (first column) … first_lag
  const std::size_t oldest = level.fill - known;
  const std::size_t column = p - known;
  const auto pair_kernel = options_.kernel == LagKernel::product
                               ? pair_row<LagKernel::product>
                               : pair_row<LagKernel::squared_difference>;
  TimeBlocks::Block &block = blocks_.current();
  for (std::size_t s = 0; s < options_.n_series; ++s) {
    const double *row = level.history.data() + s * options_.n_components * 2 * p + oldest;
    pair_kernel(row, 2 * p, options_.n_components, known - 1, length, scratch_.data());
    double *sums = block.sums.data() + (l * options_.n_series + s) * p + column;
    for (std::size_t j = 0; j < length; ++j) sums[j] += scratch_[j];
  }
  for (std::size_t j = column; j < column + length; ++j) ++block.counts[l * p + j];
}

/// Collect a value for the next level; true when coarse_ holds one. `values` may be coarse_ itself.
bool MultiTau::coarsen(Level &level, const double *values) {
  const auto ratio = static_cast<std::int64_t>(options_.ratio);
  const bool complete = level.count % ratio == 0;
  if (options_.coarse_graining == CoarseGraining::subsample) {
    if (complete && values != coarse_.data())
      std::copy(values, values + coarse_.size(), coarse_.begin());
    return complete;
  }
  for (std::size_t i = 0; i < level.partial.size(); ++i) level.partial[i] += values[i];
  if (!complete) return false;
  for (std::size_t i = 0; i < level.partial.size(); ++i) {
    coarse_[i] = level.partial[i] / static_cast<double>(ratio);
    level.partial[i] = 0.0;
  }
  return true;
}

std::vector<LagGrid::Lag> MultiTau::lag_table() const {
  std::vector<std::int64_t> received;
  for (const Level &level : levels_) received.push_back(level.count);
  return options_.lags(received);
}

std::vector<double> MultiTau::means() const {
  const std::size_t p = options_.points_per_level, n = options_.n_series;
  std::vector<double> result;
  for (const LagGrid::Lag &i : lag_table())
    for (std::size_t s = 0; s < n; ++s) {
      double sum = 0.0;
      for (const auto &block : blocks_.blocks())
        sum += block.sums[(i.level * n + s) * p + p - 1 - i.k];
      result.push_back(sum / static_cast<double>(i.count));
    }
  return result;
}

std::vector<double> MultiTau::block_means() const {
  const std::size_t p = options_.points_per_level, n = options_.n_series;
  std::vector<double> result;
  const auto table = lag_table();
  for (const auto &block : blocks_.blocks())
    for (const LagGrid::Lag &i : table) {
      const std::size_t column = p - 1 - i.k;
      double sum = 0.0;
      for (std::size_t s = 0; s < n; ++s) sum += block.sums[(i.level * n + s) * p + column];
      const double pairs =
          static_cast<double>(block.counts[i.level * p + column]) * static_cast<double>(n);
      result.push_back(pairs > 0 ? sum / pairs : std::numeric_limits<double>::quiet_NaN());
    }
  return result;
}

std::vector<std::int64_t> MultiTau::block_counts() const {
  const std::size_t p = options_.points_per_level;
  std::vector<std::int64_t> result;
  const auto table = lag_table();
  for (const auto &block : blocks_.blocks())
    for (const LagGrid::Lag &i : table) result.push_back(block.counts[i.level * p + p - 1 - i.k]);
  return result;
}

std::vector<double> MultiTau::averaged(const std::vector<double> &sums) const {
  std::vector<double> result = sums;
  for (double &x : result)
    x = n_samples_ > 0 ? x / static_cast<double>(n_samples_)
                       : std::numeric_limits<double>::quiet_NaN();
  return result;
}

std::vector<double> MultiTau::series_mean() const {
  return averaged(sum_);
}

std::vector<double> MultiTau::series_mean_square() const {
  return averaged(sum_of_squares_);
}

} // namespace lpsnmr::correlation
