// Spin-alignment echo of a powder from EFG tensors, in bounded memory.
#pragma once

#include "core/correlation/echo_kernel.h"
#include "core/correlation/lag_grid.h"
#include "core/correlation/time_blocks.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lpsnmr::correlation {

struct EchoOptions : LagGrid {
  EchoOptions() { points_per_level = 8; }

  std::size_t n_series = 0; ///< Li; may be 0
  EchoGrid grid;            ///< orientations and evolution times
};

/// Everything an accumulator knows; arrays are row-major. `series_*` have n_series as first axis.
struct EchoState {
  EchoOptions options;
  std::int64_t n_samples = 0;
  std::int64_t block_length = 1;         ///< samples per time block
  std::vector<std::int64_t> level_count; ///< (levels) tensors received by each level
  std::vector<std::int64_t> block_count; ///< (blocks, levels, p), pairs of each series
  std::vector<double> series_history;    ///< (n_series, levels, p, 5), a ring
  std::vector<double> series_block_sum;  ///< (n_series, blocks, levels, p, times, 2)
};

/// Accumulate Σ_b w_b sin(ω_b(t0) t_p) sin(ω_b(t0 + t_m) t_p) and the cosine partner of every Li,
/// for every evolution time t_p, at the mixing times k (k < p) and k m^l (p/m ≤ k < p, l ≥ 1), in
/// samples. ω_b is linear in the five components of the tensor; b runs over the orientations.
///
/// Level l sees every m^l-th tensor, so that each value is the exact mean over time origins m^l
/// samples apart. Tensors are kept, not sines: memory does not grow with the orientations, but for
/// the sines of the last p samples, which are needed p times, where they fit in 32 MB.
class EchoCorrelator {
public:
  /// @throws Error for options that do not fit together
  explicit EchoCorrelator(const EchoOptions &options,
                          simd::Instructions instructions = simd::chosen_instructions());
  /// Continue from a state as if never interrupted, bit for bit.
  /// @throws Error for a state whose arrays do not have the sizes they must have
  explicit EchoCorrelator(const EchoState &state);

  /// Add one sample. @param values (n_series, 5) row-major, only read
  /// @throws Error when a value is not finite; the accumulator is then unchanged
  void add(const double *values);

  const EchoOptions &options() const { return options_; }
  std::int64_t n_samples() const { return n_samples_; }
  std::int64_t block_length() const { return blocks_.length(); }
  std::size_t n_blocks() const { return blocks_.size(); }
  EchoState state() const;

  /// Mixing times (samples) with at least one pair, ascending; the order of the three below.
  std::vector<std::int64_t> lags() const { return lags_of(lag_table()); }
  std::vector<std::int64_t> counts() const { return counts_of(lag_table()); }
  std::vector<double> means() const;              ///< (times, 2, lags, n_series)
  std::vector<double> block_means() const;        ///< (times, 2, blocks, lags); NaN if none
  std::vector<std::int64_t> block_counts() const; ///< (blocks, lags)

private:
  struct Level {
    std::int64_t count = 0;   // tensors received; the last is at (count − 1) mod p
    std::vector<double> ring; // (p, 5, n_series)
  };

  void check() const;
  void add_level();
  std::vector<LagGrid::Lag> lag_table() const;
  std::size_t outputs() const { return 2 * options_.grid.n_times(); }
  std::size_t slot(std::size_t l, std::size_t k) const; // of sums: (levels, p, times, 2, n_series)
  void import_series(const EchoState &state, std::size_t blocks);

  EchoOptions options_;
  std::int64_t n_samples_ = 0;
  std::vector<Level> levels_;
  TimeBlocks blocks_;
  std::vector<double> now_;    // (5, n_series)
  std::vector<double> recent_; // (p, orientations, times, 2, n_series) of level 0, or empty
  std::size_t n_recent_ = 0;   // how many of the newest samples are there
  EchoScratch scratch_;
};

} // namespace lpsnmr::correlation
