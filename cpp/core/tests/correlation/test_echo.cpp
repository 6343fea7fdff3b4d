// EchoCorrelator against direct sums with the library's sine and cosine, continuation, refusals.
#include "core/common/error.h"
#include "core/correlation/echo.h"
#include "core/tests/support/check.h"

#include <limits>
#include <random>
#include <string>

using namespace lpsnmr;

namespace {

correlation::EchoOptions options(std::size_t n_series) {
  std::mt19937_64 generator(3);
  std::normal_distribution<double> normal;
  correlation::EchoOptions o;
  o.n_series = n_series;
  for (int b = 0; b < 7; ++b) {
    o.grid.weights.push_back((b + 1) / 28.0);
    for (int m = 0; m < 5; ++m) o.grid.projections.push_back(normal(generator));
  }
  o.grid.times = {0.5, 1.0, 18.5, 20.0, 20.5}; // two are sums of earlier ones
  o.points_per_level = 4;
  o.max_blocks = 4;
  return o;
}

std::vector<std::vector<double>> noise(std::size_t samples, std::size_t width) {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> normal;
  std::vector<std::vector<double>> series(samples, std::vector<double>(width));
  for (auto &row : series)
    for (double &x : row) x = normal(generator);
  return series;
}

/// Sine (part 0) or cosine products of series s, averaged over origins `width` samples apart.
double direct(const correlation::EchoOptions &o, const std::vector<std::vector<double>> &series,
              std::size_t k, std::size_t width, std::size_t s, std::size_t time, int part) {
  double sum = 0.0;
  std::size_t count = 0;
  for (std::size_t late = (k + 1) * width - 1; late < series.size(); late += width, ++count)
    for (std::size_t b = 0; b < o.grid.n_orientations(); ++b) {
      double phase[2] = {0.0, 0.0};
      for (std::size_t m = 0; m < 5; ++m) {
        const double projection = o.grid.projections[5 * b + m] * o.grid.times[time];
        phase[0] += projection * series[late][5 * s + m];
        phase[1] += projection * series[late - k * width][5 * s + m];
      }
      sum += o.grid.weights[b] * (part == 0 ? std::sin(phase[0]) * std::sin(phase[1])
                                            : std::cos(phase[0]) * std::cos(phase[1]));
    }
  return sum / static_cast<double>(count);
}

void test_trigonometry(simd::Instructions instructions) {
  std::vector<double> x, s, c;
  for (int k = -200000; k <= 200000; ++k) x.push_back(k * 3.7);
  for (int k = -1000; k <= 1000; ++k) x.push_back(k * 1e-3);
  s.resize(x.size());
  c.resize(x.size());
  correlation::sine_cosine(x.data(), 1.0, x.size(), s.data(), c.data(), instructions);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double tolerance = 1e-14 + 4e-16 * std::abs(x[i]);
    CHECK_CLOSE(s[i], std::sin(x[i]), tolerance);
    CHECK_CLOSE(c[i], std::cos(x[i]), tolerance);
  }
}

void test_direct_sums(std::size_t samples, simd::Instructions instructions) {
  const correlation::EchoOptions o = options(3);
  correlation::EchoCorrelator echo(o, instructions);
  const auto series = noise(samples, 15);
  for (const auto &row : series) echo.add(row.data());
  const auto lags = echo.lags(), counts = echo.counts();
  const auto means = echo.means();
  for (std::size_t i = 0; i < lags.size(); ++i) {
    std::size_t width = 1;
    while (static_cast<std::size_t>(lags[i]) >= o.points_per_level * width) width *= o.ratio;
    const std::size_t k = static_cast<std::size_t>(lags[i]) / width;
    CHECK(counts[i] == static_cast<std::int64_t>(samples / width - k));
    for (std::size_t t = 0; t < o.grid.n_times(); ++t)
      for (int part = 0; part < 2; ++part)
        for (std::size_t s = 0; s < 3; ++s)
          CHECK_CLOSE(means[((2 * t + static_cast<std::size_t>(part)) * lags.size() + i) * 3 + s],
                      direct(o, series, k, width, s, t, part), 1e-12);
  }
  CHECK(echo.n_blocks() <= o.max_blocks);
}

void test_continuation() {
  const auto series = noise(131, 10);
  for (std::size_t cut : {0u, 1u, 4u, 33u, 64u, 130u}) {
    correlation::EchoCorrelator whole(options(2)), first(options(2));
    for (const auto &row : series) whole.add(row.data());
    for (std::size_t t = 0; t < cut; ++t) first.add(series[t].data());
    correlation::EchoCorrelator second(first.state());
    for (std::size_t t = cut; t < series.size(); ++t) second.add(series[t].data());
    const correlation::EchoState a = whole.state(), b = second.state();
    CHECK(a.series_history == b.series_history);
    CHECK(a.series_block_sum == b.series_block_sum);
    CHECK(a.block_count == b.block_count && a.level_count == b.level_count);
    CHECK(whole.block_means().size() == second.block_means().size());
  }
}

template <typename Call> bool throws(Call call) {
  try {
    call();
  } catch (const Error &) {
    return true;
  }
  return false;
}

void test_refusals() {
  for (auto change : {+[](correlation::EchoOptions &o) { o.grid.times.clear(); },
                      +[](correlation::EchoOptions &o) { o.grid.weights.clear(); },
                      +[](correlation::EchoOptions &o) { o.grid.projections.pop_back(); },
                      +[](correlation::EchoOptions &o) {
                        o.grid.times[0] = std::numeric_limits<double>::infinity();
                      },
                      +[](correlation::EchoOptions &o) { o.ratio = 1; },
                      +[](correlation::EchoOptions &o) { o.points_per_level = 5; },
                      +[](correlation::EchoOptions &o) { o.max_levels = 0; },
                      +[](correlation::EchoOptions &o) { o.max_blocks = 3; }}) {
    correlation::EchoOptions bad = options(1);
    change(bad);
    CHECK(throws([&] { correlation::EchoCorrelator echo(bad); }));
  }
  correlation::EchoCorrelator echo(options(1));
  std::vector<double> values(5, 0.0);
  for (int t = 0; t < 9; ++t) echo.add(values.data());
  values[4] = std::numeric_limits<double>::quiet_NaN();
  CHECK(throws([&] { echo.add(values.data()); }));
  CHECK(echo.n_samples() == 9);
  for (auto change : {+[](correlation::EchoState &s) { s.series_history.pop_back(); },
                      +[](correlation::EchoState &s) { s.series_block_sum.pop_back(); },
                      +[](correlation::EchoState &s) { s.block_count.pop_back(); },
                      +[](correlation::EchoState &s) { s.n_samples = 10; },
                      +[](correlation::EchoState &s) { s.n_samples = -1; },
                      +[](correlation::EchoState &s) { s.block_length = 1; }}) {
    correlation::EchoState bad = echo.state();
    change(bad);
    CHECK(throws([&] { correlation::EchoCorrelator copy(bad); }));
  }
}

} // namespace

int main() {
  for (const simd::Instructions instructions : simd::available_instructions()) {
    test_trigonometry(instructions);
    for (std::size_t samples : {1u, 5u, 40u, 100u}) test_direct_sums(samples, instructions);
  }
  test_continuation();
  test_refusals();
  if (failures == 0) std::puts("echo: all passed");
  return failures == 0 ? 0 : 1;
}
