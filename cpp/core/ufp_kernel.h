// The UFP of one central atom: two- and three-body energy, forces and virial from its neighbours.
#pragma once

#include "ufp_potential.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace lpsnmr {

/// One three-body term, kept only when the caller tallies per atom.
struct TripletRecord {
  int j, k;                            ///< positions in UfpKernel::triplet_neighbors()
  double energy;                       ///< V3, eV
  double slope_ij, slope_ik, slope_jk; ///< dV3/dr, eV/Å
};

/// One neighbour of the current centre.
struct UfpNeighbor {
  alignas(32) double vector[4]; ///< from the centre, Å; fourth entry 0
  double distance, inverse;     ///< r and 1/r
  int index;                    ///< the caller's number of this atom
  int species;
};

struct TripletWorkspace;

/// Evaluates one centre at a time; holds the work space, so use one per thread.
///
/// Usage: begin(species); add(...) for every atom within UfpPotential::cutoff; then two_body() and
/// three_body(). Energies follow the .uf3 convention: E = sum over centres of
/// [sum_j V2(r_ij) + sum_{j<k} V3(r_ij, r_ik, r_jk)].
class UfpKernel {
public:
  explicit UfpKernel(const UfpPotential &potential);
  ~UfpKernel();

  void begin(int species) {
    species_ = species;
    neighbors_.clear();
    short_range_ = 0;
  }

  /// Add a neighbour at (dx, dy, dz) from the centre with squared distance r2 in (0, cutoff^2).
  void add(int index, int species, double dx, double dy, double dz, double r2);

  /// Sum of V2 over the neighbours; accumulates the force on the centre of BOTH ordered pairs.
  ///
  /// @param force  (3) += force on the centre, eV/Å
  /// @param virial (6: xx yy zz xy xz yz) += half of the pairs' r_i f_i, or nullptr, eV
  double two_body(double *force, double *virial) const;

  /// Sum of V3; leaves the forces on the neighbours in triplet_forces().
  ///
  /// @param force   (3) += force on the centre, eV/Å
  /// @param virial  (6) += virial, or nullptr, eV
  /// @param records filled with one entry per triplet when not nullptr
  double three_body(double *force, double *virial, std::vector<TripletRecord> *records);

  /// All neighbours, in the order of add().
  const std::vector<UfpNeighbor> &neighbors() const { return neighbors_; }
  /// Three-body neighbours, grouped by species.
  const std::vector<UfpNeighbor> &triplet_neighbors() const { return sorted_; }
  /// (n, 4) forces on triplet_neighbors() from this centre's triplets, eV/Å.
  const std::vector<double> &triplet_forces() const;
  /// Neighbours of the last two_body() that lay below the first knot.
  int short_range_pairs() const { return short_range_; }

private:
  void sort_neighbors();
  void evaluate_bases();

  const UfpPotential &potential_;
  std::vector<std::vector<int>> grids_needed_; // (centre, neighbour species) -> grids of r_ij
  int species_ = 0;
  mutable int short_range_ = 0;
  std::vector<UfpNeighbor> neighbors_, sorted_;
  std::vector<std::size_t> first_;              // (species + 1) into sorted_
  std::vector<std::vector<BasisValues>> basis_; // (grid, neighbour)
  std::unique_ptr<TripletWorkspace> work_;
};

} // namespace lpsnmr
