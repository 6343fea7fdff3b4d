// Multi-tau accumulators of products and squared differences of many series, in bounded memory.
#pragma once

#include "core/correlation/lag_grid.h"
#include "core/correlation/time_blocks.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lpsnmr::correlation {

/// What is accumulated for a pair of values a(t0), a(t0 + lag), summed over components.
enum class LagKernel {
  product,           ///< Σ_d a_d(t0) a_d(t0 + lag): correlation function
  squared_difference ///< Σ_d (a_d(t0 + lag) − a_d(t0))²: mean squared displacement
};

/// How a level makes one value for the next, coarser level out of `ratio` values of its own.
enum class CoarseGraining {
  average,  ///< their mean; the result is the correlation of block means
  subsample ///< the last of them; the result is exact at its lags, with fewer time origins
};

struct MultiTauOptions : LagGrid {
  std::size_t n_series = 0;     ///< may be 0 (a rank that owns no atom of interest)
  std::size_t n_components = 1; ///< > 0
  LagKernel kernel = LagKernel::product;
  CoarseGraining coarse_graining = CoarseGraining::average;
};

/// Everything an accumulator knows; arrays are row-major. `series_*` have n_series as first axis.
struct MultiTauState {
  MultiTauOptions options;
  std::int64_t n_samples = 0;
  std::int64_t block_length = 1;             ///< samples per time block
  std::vector<std::int64_t> level_count;     ///< (levels) values received by each level
  std::vector<double> series_history;        ///< (n_series, levels, components, p), oldest first
  std::vector<double> series_partial;        ///< (n_series, levels, components) for the next level
  std::vector<double> series_block_sum;      ///< (n_series, blocks, levels, p) at lag k m^level
  std::vector<double> series_sum;            ///< (n_series, components)
  std::vector<double> series_sum_of_squares; ///< (n_series, components)
  std::vector<std::int64_t> block_count;     ///< (blocks, levels, p), pairs of each series
};

/// Accumulate pair statistics at the lags k (k < p) and k m^l (p/m ≤ k < p, l ≥ 1), in samples.
///
/// Level 0 equals the direct sum over all time origins. Level l sees one value per m^l samples; see
/// CoarseGraining for what its lags mean. A pair belongs to the time block in which its later
/// member arrives. Memory grows with the logarithm of the number of samples and never beyond
/// max_levels. J. Ramirez et al., J. Chem. Phys. 133, 154103 (2010), doi:10.1063/1.3491098.
class MultiTau {
public:
  /// @throws Error for options that do not fit together
  explicit MultiTau(const MultiTauOptions &options);
  /// Continue from a state as if never interrupted, bit for bit.
  /// @throws Error for a state whose arrays do not have the sizes they must have
  explicit MultiTau(const MultiTauState &state);

  /// Add one sample. @param values (n_series, n_components) row-major, only read
  /// @throws Error when a value is not finite; the accumulator is then unchanged
  void add(const double *values);

  const MultiTauOptions &options() const { return options_; }
  std::int64_t n_samples() const { return n_samples_; }
  std::int64_t block_length() const { return blocks_.length(); }
  std::size_t n_blocks() const { return blocks_.size(); }
  MultiTauState state() const;

  /// Lags (samples) with at least one pair, ascending; the order of the three below.
  std::vector<std::int64_t> lags() const { return lags_of(lag_table()); }
  std::vector<std::int64_t> counts() const { return counts_of(lag_table()); }
  std::vector<double> means() const;              ///< (lags, n_series)
  std::vector<double> block_means() const;        ///< (blocks, lags), over series; NaN if none
  std::vector<std::int64_t> block_counts() const; ///< (blocks, lags)
  std::vector<double> series_mean() const;        ///< (n_series, components)
  std::vector<double> series_mean_square() const; ///< (n_series, components)

private:
  struct Level {
    std::int64_t count = 0;      // values received
    std::size_t fill = 0;        // used columns of history
    std::vector<double> history; // (n_series, components, 2p), last `fill` values in time order
    std::vector<double> partial; // (n_series, components)
  };

  void add_level();
  bool feed(std::size_t l, const double *values);
  void store(Level &level, const double *values);
  void accumulate(std::size_t l);
  bool coarsen(Level &level, const double *values);
  std::vector<LagGrid::Lag> lag_table() const;
  std::vector<double> averaged(const std::vector<double> &sums) const;
  void import_series(const MultiTauState &state, std::size_t blocks);

  MultiTauOptions options_;
  std::int64_t n_samples_ = 0;
  std::vector<Level> levels_;
  TimeBlocks blocks_; // sums (levels, n_series, p), counts (levels, p); lag k at column p − 1 − k
  std::vector<double> sum_, sum_of_squares_; // (n_series, components)
  std::vector<double> scratch_;              // (p)
  std::vector<double> coarse_;               // (n_series, components), on its way to the next level
};

} // namespace lpsnmr::correlation
