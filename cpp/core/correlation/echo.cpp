#include "core/correlation/echo.h"

#include "core/common/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace lpsnmr::correlation {

namespace {

constexpr std::size_t components = 5;
constexpr std::size_t most_recent = 4 * 1024 * 1024; // numbers

bool all_finite(const std::vector<double> &values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

} // namespace

EchoCorrelator::EchoCorrelator(const EchoOptions &options, simd::Instructions instructions)
    : options_(options), blocks_(options.max_blocks), now_(components * options.n_series),
      scratch_(options.grid, options.n_series, instructions) {
  check();
  const std::size_t recent =
      options.points_per_level * options.grid.n_orientations() * outputs() * options.n_series;
  if (recent <= most_recent) recent_.resize(recent);
}

void EchoCorrelator::check() const {
  const EchoOptions &o = options_;
  if (o.grid.n_times() == 0) throw Error("an echo needs at least one evolution time, got none");
  if (o.grid.n_orientations() == 0) throw Error("an echo needs at least one orientation, got none");
  if (o.grid.projections.size() != components * o.grid.n_orientations())
    throw Error("projections must hold five numbers for each of the " +
                std::to_string(o.grid.n_orientations()) + " orientations, got " +
                std::to_string(o.grid.projections.size()));
  if (!all_finite(o.grid.projections) || !all_finite(o.grid.weights) || !all_finite(o.grid.times))
    throw Error("projections, weights and evolution times must be finite");
  o.check();
}

std::size_t EchoCorrelator::slot(std::size_t l, std::size_t k) const {
  return (l * options_.points_per_level + k) * outputs() * options_.n_series;
}

void EchoCorrelator::add_level() {
  Level level;
  level.ring.assign(options_.points_per_level * components * options_.n_series, 0.0);
  levels_.push_back(std::move(level));
  blocks_.widen(slot(levels_.size(), 0), levels_.size() * options_.points_per_level);
}

void EchoCorrelator::add(const double *values) {
  const std::size_t n = options_.n_series, p = options_.points_per_level;
  check_finite(values, n, components, n_samples_);
  for (std::size_t s = 0; s < n; ++s)
    for (std::size_t m = 0; m < components; ++m) now_[m * n + s] = values[s * components + m];
  blocks_.advance(n_samples_);
  ++n_samples_;
  std::vector<std::pair<std::size_t, std::size_t>> found; // (level, k) that gain a pair
  for (std::size_t l = 0; l < options_.max_levels; ++l) {
    if (l == levels_.size()) add_level();
    Level &level = levels_[l];
    std::copy(now_.begin(), now_.end(),
              level.ring.begin() + static_cast<std::ptrdiff_t>(
                                       static_cast<std::size_t>(level.count) % p * now_.size()));
    ++level.count;
    const auto known =
        static_cast<std::size_t>(std::min<std::int64_t>(level.count, static_cast<std::int64_t>(p)));
    for (std::size_t k = options_.first_lag(l); k < known; ++k) found.emplace_back(l, k);
    if (level.count % static_cast<std::int64_t>(options_.ratio) != 0) break;
  }
  TimeBlocks::Block &block = blocks_.current();
  const std::size_t row = recent_.size() / p;
  if (row > 0) n_recent_ = std::min(n_recent_ + 1, p);
  std::vector<EchoPair> pairs;
  for (const auto &[l, k] : found) {
    const auto newest = static_cast<std::size_t>(levels_[l].count - 1);
    const std::size_t place = (newest - k) % p;
    const bool known = l == 0 && k < n_recent_;
    pairs.push_back({levels_[l].ring.data() + place * now_.size(), block.sums.data() + slot(l, k),
                     known ? recent_.data() + place * row : nullptr});
    ++block.counts[l * p + k];
  }
  const std::size_t here = static_cast<std::size_t>(levels_[0].count - 1) % p;
  add_echo_products(options_.grid, now_.data(), n, pairs,
                    row > 0 ? recent_.data() + here * row : nullptr, scratch_);
}

std::vector<LagGrid::Lag> EchoCorrelator::lag_table() const {
  std::vector<std::int64_t> received;
  for (const Level &level : levels_) received.push_back(level.count);
  return options_.lags(received);
}

std::vector<double> EchoCorrelator::means() const {
  const std::size_t n = options_.n_series;
  std::vector<double> result;
  const auto table = lag_table();
  for (std::size_t o = 0; o < outputs(); ++o)
    for (const LagGrid::Lag &i : table)
      for (std::size_t s = 0; s < n; ++s) {
        double sum = 0.0;
        for (const auto &block : blocks_.blocks())
          sum += block.sums[slot(i.level, i.k) + o * n + s];
        result.push_back(sum / static_cast<double>(i.count));
      }
  return result;
}

std::vector<double> EchoCorrelator::block_means() const {
  const std::size_t n = options_.n_series, p = options_.points_per_level;
  std::vector<double> result;
  const auto table = lag_table();
  for (std::size_t o = 0; o < outputs(); ++o)
    for (const auto &block : blocks_.blocks())
      for (const LagGrid::Lag &i : table) {
        double sum = 0.0;
        for (std::size_t s = 0; s < n; ++s) sum += block.sums[slot(i.level, i.k) + o * n + s];
        const double pairs =
            static_cast<double>(block.counts[i.level * p + i.k]) * static_cast<double>(n);
        result.push_back(pairs > 0 ? sum / pairs : std::numeric_limits<double>::quiet_NaN());
      }
  return result;
}

std::vector<std::int64_t> EchoCorrelator::block_counts() const {
  std::vector<std::int64_t> result;
  const auto table = lag_table();
  for (const auto &block : blocks_.blocks())
    for (const LagGrid::Lag &i : table)
      result.push_back(block.counts[i.level * options_.points_per_level + i.k]);
  return result;
}

} // namespace lpsnmr::correlation
