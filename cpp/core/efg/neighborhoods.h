// The neighbours and bridges of targets, as the model needs them.
#pragma once

#include "core/efg/basis.h"
#include "core/neighbors/search.h"

#include <vector>

namespace lpsnmr::efg {

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
  neighbors::Neighborhood of_target(std::size_t t) const;
  neighbors::Neighborhood of_bridge(std::size_t b) const;
  neighbors::Neighborhood of_field(std::size_t b) const;
  /// Of a source whose species has a density.
  neighbors::Neighborhood of_source(std::size_t s) const;
};

/// Build both lists; see system_features for the arguments and errors.
Neighborhoods find_neighborhoods(const Basis &basis, const neighbors::System &system,
                                 const int *numbers, const std::vector<int> &targets);

/// The same into lists that may have been used before; their memory is kept.
void find_neighborhoods(const Basis &basis, const neighbors::System &system, const int *numbers,
                        const std::vector<int> &targets, Neighborhoods &found);

} // namespace lpsnmr::efg
