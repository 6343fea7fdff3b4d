// MultiTau against the direct sum, exact continuation from a state, and refusals.
#include "core/correlation/multi_tau.h"

#include "core/common/error.h"

#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>
#include <string>

using namespace lpsnmr;

namespace {

int failures = 0;

void check(bool good, const std::string &what) {
  if (good) return;
  ++failures;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
}

bool throws(const std::function<void()> &call) {
  try {
    call();
  } catch (const Error &) {
    return true;
  }
  return false;
}

std::vector<std::vector<double>> noise(std::size_t samples, std::size_t width) {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> normal;
  std::vector<std::vector<double>> series(samples, std::vector<double>(width));
  for (auto &row : series)
    for (double &x : row) x = normal(generator);
  return series;
}

/// Values that level l sees: block means or last values of `width` samples.
std::vector<std::vector<double>> coarse(const std::vector<std::vector<double>> &series,
                                        std::size_t width, correlation::CoarseGraining mode) {
  std::vector<std::vector<double>> result;
  for (std::size_t t = 0; t + width <= series.size(); t += width) {
    std::vector<double> value = series[t + width - 1];
    if (mode == correlation::CoarseGraining::average)
      for (std::size_t i = 0; i < value.size(); ++i) {
        value[i] = 0.0;
        for (std::size_t u = 0; u < width; ++u) value[i] += series[t + u][i];
        value[i] /= static_cast<double>(width);
      }
    result.push_back(value);
  }
  return result;
}

double direct(const std::vector<std::vector<double>> &series, std::size_t k, std::size_t s,
              std::size_t components, correlation::LagKernel kernel) {
  double sum = 0.0;
  for (std::size_t t = 0; t + k < series.size(); ++t)
    for (std::size_t d = 0; d < components; ++d) {
      const double a = series[t][s * components + d], b = series[t + k][s * components + d];
      sum += kernel == correlation::LagKernel::product ? a * b : (a - b) * (a - b);
    }
  return sum / static_cast<double>(series.size() - k);
}

void test_direct_sum(correlation::LagKernel kernel, correlation::CoarseGraining mode,
                     std::size_t ratio, std::size_t samples) {
  correlation::MultiTauOptions options;
  options.n_series = 3;
  options.n_components = 2;
  options.kernel = kernel;
  options.coarse_graining = mode;
  options.points_per_level = 4 * ratio;
  options.ratio = ratio;
  options.max_blocks = 4;
  correlation::MultiTau correlator(options);
  const auto series = noise(samples, 6);
  for (const auto &row : series) correlator.add(row.data());
  const auto lags = correlator.lags();
  const auto means = correlator.means();
  double worst = 0.0;
  for (std::size_t i = 0; i < lags.size(); ++i) {
    const auto lag = static_cast<std::size_t>(lags[i]);
    std::size_t width = 1;
    while (lag >= options.points_per_level * width) width *= ratio;
    const auto seen = coarse(series, width, mode);
    check(correlator.counts()[i] == static_cast<std::int64_t>(seen.size() - lag / width), "counts");
    for (std::size_t s = 0; s < 3; ++s)
      worst = std::max(worst, std::abs(means[i * 3 + s] - direct(seen, lag / width, s, 2, kernel)));
  }
  check(worst < 1e-12, "direct sum, off by " + std::to_string(worst));
  check(correlator.n_blocks() <= 4, "number of blocks");
}

void test_continuation() {
  correlation::MultiTauOptions options;
  options.n_series = 2;
  options.n_components = 5;
  options.points_per_level = 4;
  options.max_blocks = 4;
  const auto series = noise(301, 10);
  for (std::size_t cut : {0u, 1u, 7u, 8u, 64u, 129u, 300u}) {
    correlation::MultiTau whole(options), first(options);
    for (const auto &row : series) whole.add(row.data());
    for (std::size_t t = 0; t < cut; ++t) first.add(series[t].data());
    correlation::MultiTau second(first.state());
    for (std::size_t t = cut; t < series.size(); ++t) second.add(series[t].data());
    const correlation::MultiTauState a = whole.state(), b = second.state();
    check(a.series_history == b.series_history && a.series_partial == b.series_partial &&
              a.series_block_sum == b.series_block_sum && a.block_count == b.block_count &&
              a.series_sum == b.series_sum && a.level_count == b.level_count &&
              a.block_length == b.block_length,
          "continuation after " + std::to_string(cut) + " samples is bit for bit");
  }
}

void test_hard_limit() {
  correlation::MultiTauOptions options;
  options.n_series = 1;
  options.points_per_level = 4;
  options.max_levels = 3;
  correlation::MultiTau correlator(options);
  const double one = 1.0;
  for (int t = 0; t < 1000; ++t) correlator.add(&one);
  check(correlator.state().level_count.size() == 3, "max_levels");
  check(correlator.lags().back() == 12, "longest lag");
  for (double mean : correlator.means()) check(mean == 1.0, "constant");
}

void test_refusals() {
  correlation::MultiTauOptions options;
  options.n_series = 1;
  for (auto change : {+[](correlation::MultiTauOptions &o) { o.ratio = 1; },
                      +[](correlation::MultiTauOptions &o) { o.points_per_level = 15; },
                      +[](correlation::MultiTauOptions &o) { o.max_levels = 0; },
                      +[](correlation::MultiTauOptions &o) { o.max_levels = 60; },
                      +[](correlation::MultiTauOptions &o) { o.max_blocks = 3; },
                      +[](correlation::MultiTauOptions &o) { o.n_components = 0; }}) {
    correlation::MultiTauOptions bad = options;
    change(bad);
    check(throws([&] { correlation::MultiTau correlator(bad); }), "bad options are refused");
  }
  correlation::MultiTau correlator(options);
  const double nan = std::numeric_limits<double>::quiet_NaN(), one = 1.0;
  check(throws([&] { correlator.add(&nan); }), "NaN is refused");
  check(correlator.n_samples() == 0, "and leaves the accumulator alone");
  for (int t = 0; t < 20; ++t) correlator.add(&one);
  correlation::MultiTauState state = correlator.state();
  state.series_history.pop_back();
  check(throws([&] { correlation::MultiTau c(state); }), "short history is refused");
  state = correlator.state();
  state.n_samples = 21;
  check(throws([&] { correlation::MultiTau c(state); }), "wrong counts are refused");
}

} // namespace

int main() {
  for (correlation::LagKernel kernel :
       {correlation::LagKernel::product, correlation::LagKernel::squared_difference})
    for (correlation::CoarseGraining mode :
         {correlation::CoarseGraining::average, correlation::CoarseGraining::subsample})
      for (std::size_t ratio : {2u, 3u})
        for (std::size_t samples : {1u, 5u, 40u, 333u})
          test_direct_sum(kernel, mode, ratio, samples);
  test_continuation();
  test_hard_limit();
  test_refusals();
  if (failures == 0) std::puts("multi_tau: all passed");
  return failures == 0 ? 0 : 1;
}
