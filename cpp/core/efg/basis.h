// Features of the EFG model: rank-2 tensors built from the positions around an atom.
#pragma once

#include "core/efg/harmonics.h"
#include "core/neighbors/neighbor_list.h"

#include <cstddef>
#include <vector>

namespace lpsnmr::efg {

/// A set of radial functions: how many, and where they end.
struct Radial {
  int count = 0;       ///< number of functions; 0 switches the term off
  double cutoff = 0.0; ///< Å
};

/// What the features are made of.
struct Settings {
  std::vector<int> species;   ///< atomic numbers an environment may hold, ascending
  std::vector<int> bridges;   ///< atomic numbers a chain may run through, a subset of `species`
  Radial pair;                ///< body order 2: target–neighbour
  Radial chain;               ///< chain: target–bridge distance
  Radial bridge;              ///< chain: density around the bridge
  int bridge_l_max = 2;       ///< chain: highest degree of that density
  Radial product;             ///< chain: density around the bridge that is multiplied by itself
  int product_l_max = 2;      ///< chain: highest degree of the factors of that product
  int product_degree_max = 0; ///< chain: highest degree of the product, at most bridge_l_max
  Radial triple;              ///< body order 3: density around the target
  int triple_l_max = 2;       ///< body order 3: highest degree of that density
  double field_cutoff = 0.0; ///< chain: Å, how far the sources of the field at a bridge are; 0: off
  Radial source;             ///< chain: density around a source that sets its charge and dipole
  std::vector<int> sources;  ///< atomic numbers of sources that have such a density
};

/// Neighbours of one atom. The arrays belong to the caller.
struct Neighborhood {
  std::size_t size = 0;
  const double *vector = nullptr;   ///< (size, 3) from the centre, Å
  const double *distance = nullptr; ///< (size) Å, > 0
  const int *species = nullptr;     ///< (size) positions in Settings::species
  const int *slot = nullptr;        ///< (size) caller's number of the neighbour, for chains
};

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

/// Expand the density around an atom: c[species][n][lm] = Σ_k R_n(r_k) Y_lm(r̂_k) over its
/// neighbours.
///
/// The entry n = 0, l = 0 is a smooth coordination number.
///
/// @param density  (n_species, radial.count, harmonic_count(l_max)), overwritten
void expand_density(const Neighborhood &neighbors, int n_species, const Radial &radial, int l_max,
                    double *density);

/// Describe a bridge by its density, the products of its density and the field there.
///
/// The target itself is one of the bridge's neighbours and counts like any other: a bridge has one
/// descriptor, whoever asks.
///
/// @param neighbors   within bridge_cutoff()
/// @param field       (basis.field_channels(), 3) as Field::sum gives it
/// @param descriptor  (basis.descriptor_size()), overwritten
void describe_bridge(const Basis &basis, const Neighborhood &neighbors, const double *field,
                     double *descriptor);

/// Write the features of one target.
///
/// @param neighbors    within target_cutoff(); `slot` picks the bridge's descriptor
/// @param descriptors  (slots, descriptor_size())
/// @param features     (5, size()), overwritten; rows are m = −2 … 2
void target_features(const Basis &basis, const Neighborhood &neighbors, const double *descriptors,
                     double *features);

/// Features of chosen atoms of a system.
///
/// @param numbers  (system.size) atomic numbers
/// @param targets  atom indices
/// @return         (targets, 5, size())
/// @throws Error   for an unknown element, a bad index, or two atoms in one place
std::vector<double> system_features(const Basis &basis, const neighbors::System &system,
                                    const int *numbers, const std::vector<int> &targets);

/// Neighbours and bridges of a set of targets, as the model needs them.
struct Neighborhoods {
  neighbors::NeighborSearch search;         ///< of the system that was last searched
  neighbors::NeighborList targets, bridges; ///< lists of the targets and of the bridges they reach
  neighbors::NeighborList fields,
      sources; ///< of the bridges to field_cutoff; of sources that are no bridge
  std::vector<int> target_species; ///< species of the entries of `targets`
  std::vector<int> target_slot;    ///< bridge slot of the entries of `targets`, −1 if none
  std::vector<int> bridge_species; ///< species of the entries of `bridges`
  std::vector<int> bridge_atoms;   ///< atom index of each bridge slot
  std::vector<int> field_slot;     ///< source slot of the entries of `fields`
  std::vector<int> source_species; ///< species of the entries of `sources`
  std::vector<int> source_atoms;   ///< atom index of each source slot
  std::vector<int> source_list;    ///< of each: list in `sources`, or −1 − list in `bridges`
  Neighborhood of_target(std::size_t t) const;
  Neighborhood of_bridge(std::size_t b) const;
  Neighborhood of_field(std::size_t b) const;
  /// Of a source whose species has a density.
  Neighborhood of_source(std::size_t s) const;
};

/// Build both lists; see system_features for the arguments and errors.
Neighborhoods find_neighborhoods(const Basis &basis, const neighbors::System &system,
                                 const int *numbers, const std::vector<int> &targets);

/// The same into lists that may have been used before; their memory is kept.
void find_neighborhoods(const Basis &basis, const neighbors::System &system, const int *numbers,
                        const std::vector<int> &targets, Neighborhoods &found);

} // namespace lpsnmr::efg
