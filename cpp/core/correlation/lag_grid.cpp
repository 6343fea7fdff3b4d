#include "core/correlation/lag_grid.h"

#include "core/common/error.h"

#include <cmath>

namespace lpsnmr::correlation {

void LagGrid::check() const {
  if (ratio < 2) throw Error("ratio must be at least 2, got " + std::to_string(ratio));
  if (points_per_level < ratio || points_per_level % ratio != 0)
    throw Error("points_per_level must be a multiple of ratio " + std::to_string(ratio) + ", got " +
                std::to_string(points_per_level));
  // the longest lag, p ratio^(max_levels − 1), must fit in 63 bits
  const double bits = std::log2(static_cast<double>(points_per_level)) +
                      std::log2(static_cast<double>(ratio)) * static_cast<double>(max_levels);
  if (max_levels < 1 || bits > 62.0)
    throw Error("max_levels must be at least 1 and leave the longest lag below 2^62 samples, got " +
                std::to_string(max_levels));
  if (max_blocks < 2 || max_blocks % 2 != 0)
    throw Error("max_blocks must be even and at least 2, got " + std::to_string(max_blocks));
}

std::vector<LagGrid::Lag> LagGrid::lags(const std::vector<std::int64_t> &received) const {
  std::vector<Lag> table;
  std::int64_t step = 1;
  for (std::size_t l = 0; l < received.size(); ++l, step *= static_cast<std::int64_t>(ratio))
    for (std::size_t k = first_lag(l); k < points_per_level; ++k) {
      const std::int64_t count = received[l] - static_cast<std::int64_t>(k);
      if (count > 0) table.push_back({l, k, static_cast<std::int64_t>(k) * step, count});
    }
  return table;
}

std::vector<std::int64_t> lags_of(const std::vector<LagGrid::Lag> &table) {
  std::vector<std::int64_t> result;
  for (const LagGrid::Lag &i : table) result.push_back(i.lag);
  return result;
}

std::vector<std::int64_t> counts_of(const std::vector<LagGrid::Lag> &table) {
  std::vector<std::int64_t> result;
  for (const LagGrid::Lag &i : table) result.push_back(i.count);
  return result;
}

void check_finite(const double *values, std::size_t series, std::size_t components,
                  std::int64_t sample) {
  for (std::size_t i = 0; i < series * components; ++i)
    if (!std::isfinite(values[i]))
      throw Error("sample " + std::to_string(sample) + ": value of series " +
                  std::to_string(i / components) + ", component " + std::to_string(i % components) +
                  " is not finite");
}

std::size_t StateCheck::blocks(const LagGrid &grid, std::int64_t n_samples,
                               std::int64_t block_length,
                               const std::vector<std::int64_t> &received) const {
  if (n_samples < 0 || block_length < 1)
    throw Error(what_ + ": n_samples or block_length is negative");
  std::int64_t expected = n_samples;
  std::size_t level = 0;
  for (; expected > 0 && level < grid.max_levels; ++level) {
    if (level >= received.size() || received[level] != expected)
      throw Error(what_ + ": after " + std::to_string(n_samples) + " samples level " +
                  std::to_string(level) + " must have received " + std::to_string(expected) + " " +
                  values_);
    expected /= static_cast<std::int64_t>(grid.ratio);
  }
  size("level_count", received, level);
  const auto count = static_cast<std::size_t>((n_samples + block_length - 1) / block_length);
  if (count > grid.max_blocks)
    throw Error(what_ + ": " + std::to_string(count) + " blocks, expected at most " +
                std::to_string(grid.max_blocks));
  return count;
}

void StateCheck::fail_size(const char *name, std::size_t got, std::size_t expected) const {
  throw Error(what_ + ": " + name + " must hold " + std::to_string(expected) + " values, got " +
              std::to_string(got));
}

} // namespace lpsnmr::correlation
