// The lags of a multi-tau accumulator, level by level, and what holds for every such accumulator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lpsnmr::correlation {

/// Lags k (k < p) and k m^l (p/m ≤ k < p, l ≥ 1), in samples, and the limits of memory.
///
/// Level l receives one value per m^l samples.
struct LagGrid {
  std::size_t points_per_level = 16; ///< p, a multiple of ratio
  std::size_t ratio = 2;             ///< m ≥ 2
  std::size_t max_levels = 24;       ///< hard limit of memory and longest lag
  std::size_t max_blocks = 32;       ///< even; time blocks kept for error bars

  /// One lag and how many pairs it has.
  struct Lag {
    std::size_t level, k;
    std::int64_t lag, count;
  };

  /// @throws Error for numbers that do not fit together
  void check() const;
  /// The first k that is a lag of a level of its own.
  std::size_t first_lag(std::size_t level) const {
    return level == 0 ? 0 : points_per_level / ratio;
  }
  /// Lags with at least one pair, ascending, when the levels have received so many values.
  std::vector<Lag> lags(const std::vector<std::int64_t> &received) const;
};

std::vector<std::int64_t> lags_of(const std::vector<LagGrid::Lag> &table);
std::vector<std::int64_t> counts_of(const std::vector<LagGrid::Lag> &table);

/// Refuse a sample with a value that is not finite.
///
/// @param values (series, components)
void check_finite(const double *values, std::size_t series, std::size_t components,
                  std::int64_t sample);

/// Checks of a state that an accumulator is to continue from; messages begin with `what`.
class StateCheck {
public:
  /// @param what such as "state of an echo"; @param values what a level receives
  StateCheck(std::string what, std::string values)
      : what_(std::move(what)), values_(std::move(values)) {}

  /// Return the number of time blocks of so many samples, when every level has received what the
  /// samples imply.
  std::size_t blocks(const LagGrid &grid, std::int64_t n_samples, std::int64_t block_length,
                     const std::vector<std::int64_t> &received) const;

  template <typename T>
  void size(const char *name, const std::vector<T> &values, std::size_t expected) const {
    if (values.size() != expected) fail_size(name, values.size(), expected);
  }

private:
  [[noreturn]] void fail_size(const char *name, std::size_t got, std::size_t expected) const;
  std::string what_, values_;
};

} // namespace lpsnmr::correlation
