// What the features of an EFG model are made of.
#pragma once

#include <vector>

namespace lpsnmr::efg {

/// Largest number of radial functions of a term.
constexpr int max_radial_count = 16;

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

} // namespace lpsnmr::efg
