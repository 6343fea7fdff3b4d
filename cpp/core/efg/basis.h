// The features of the EFG model and their order: rank-2 tensors built from the positions around an
// atom.
#pragma once

#include "core/efg/harmonics.h"
#include "core/efg/settings.h"

#include <cstddef>
#include <vector>

namespace lpsnmr::efg {

/// Degrees l1 and l2 that couple to degree l, with their coefficients.
struct DegreePair {
  int l1, l2, l;
  std::vector<CouplingTerm> terms;
};

/// The features and their order; immutable.
///
/// A bridge is described by channels of degrees l = 0 … bridge_l_max: first the density
/// [species][n], then its products [pair of degrees][pair of channels], then, of degree 1, the
/// fields of the sources around it. Degree by degree the descriptor is [m][channel]. The channels
/// of the field are the charges of each species, then, source species by source species, charges
/// and dipoles [2][species][n] of its density.
///
/// Order of the features of a target: body order 2 [species][n]; chain [bridge][pair of degrees][n]
/// [channel of the bridge]; body order 3 [pair of degrees][channel][channel']. A density channel is
/// species · count + n; of two channels of equal degree only channel ≤ channel' is kept.
class Basis {
public:
  /// @throws Error for settings that make no sense
  explicit Basis(Settings settings);

  const Settings &settings() const { return settings_; }
  int species_count() const { return static_cast<int>(settings_.species.size()); }
  /// Number of features of all terms.
  std::size_t size() const { return size_; }
  /// First feature of the chain and of the body-order-3 group.
  std::size_t chain_begin() const { return chain_begin_; }
  std::size_t triple_begin() const { return triple_begin_; }
  /// (direction, bridge) degrees of the chain, ordered by the bridge's.
  const std::vector<DegreePair> &chain_pairs() const { return chain_pairs_; }
  const std::vector<DegreePair> &triple_pairs() const { return triple_pairs_; }
  const std::vector<DegreePair> &product_pairs() const { return product_pairs_; }
  /// Number of channels of degree l of a bridge, and where they start in its descriptor.
  std::size_t bridge_channels(int l) const { return bridge_channels_[l]; }
  std::size_t bridge_offset(int l) const { return bridge_offset_[l]; }
  /// Number of fields at a bridge; 0 when the term is off.
  std::size_t field_channels() const { return field_channels_; }
  /// Numbers that describe one bridge.
  std::size_t descriptor_size() const { return bridge_offset_.back(); }
  /// Number of chain features of one bridge species.
  std::size_t bridge_block() const { return bridge_block_; }
  /// Position of an atomic number in `species`, or −1.
  int species_of(int atomic_number) const;
  /// Position of a species in `bridges`, or −1.
  int bridge_of(int species) const { return bridge_of_[species]; }
  /// Position of a species in `sources`, or −1.
  int source_of(int species) const { return source_of_[species]; }
  /// The longest cutoff around a target and of the densities around a bridge, Å.
  double target_cutoff() const;
  double bridge_cutoff() const;
  /// The longest cutoff of all, Å.
  double reach() const;
  /// Highest degree of harmonics needed around a target.
  int target_l_max() const;

private:
  void check_chain();
  void check_field();
  void count_features();
  Settings settings_;
  std::vector<DegreePair> chain_pairs_, triple_pairs_, product_pairs_;
  std::vector<int> bridge_of_, source_of_;
  std::vector<std::size_t> bridge_channels_, bridge_offset_{0};
  std::size_t chain_begin_ = 0, triple_begin_ = 0, size_ = 0, bridge_block_ = 0,
              field_channels_ = 0;
};

} // namespace lpsnmr::efg
