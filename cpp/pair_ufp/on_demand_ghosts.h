// Atoms within reach of the own ones at one moment: their own search, independent of LAMMPS'
// neighbour lists and ghosts.
#pragma once

#include "core/neighbors/cell_bins.h"

#include "lmptype.h"

#include <array>
#include <string>
#include <vector>

namespace LAMMPS_NS {

/// Own atoms, those of other ranks that come within reach of them, and the images of both.
///
/// What a model needs only now and then must not be paid for at every step: ghosts farther away
/// than the forces need travel at every step, and a longer neighbour list is made at every
/// reneighboring. So this asks the other ranks when it is needed, by the positions of that moment;
/// no neighbour is missed, whatever the skin, the age of LAMMPS' lists and the exclusions in them.
class OnDemandGhosts {
public:
  OnDemandGhosts(class LAMMPS *lmp, std::string who) : lmp_(lmp), who_(std::move(who)) {}

  /// Find them; all ranks together.
  ///
  /// @param reach   Å
  /// @param counts  (ntypes + 1) whether atoms of this type are to be found
  void gather(double reach, const std::vector<char> &counts);

  /// Own and other atoms; own ones have the numbers they have in LAMMPS. Those of types that do not
  /// count are numbered, but not found.
  int size() const { return static_cast<int>(types_.size()); }
  /// Whether any atom belongs to another rank.
  bool has_others() const { return others_ > 0; }
  int type(int k) const { return types_[k]; }
  tagint tag(int k) const { return tags_[k]; }

  /// Find the neighbours of own atom i; see neighbors::CellBins::find.
  std::size_t find(int i, double cutoff, lpsnmr::neighbors::NeighborList &list) const;

  /// Bring what belongs to atoms from their ranks to where they are reached; all ranks together.
  ///
  /// @param values  (size(), bytes): rows of own atoms are read, those of others written
  /// @param counts  (ntypes + 1) whether rows of this type are wanted
  void share(void *values, std::size_t bytes, const std::vector<char> &counts);

  double memory_usage() const;

private:
  using Box = std::array<double, 6>; // lowest and highest fractional coordinates
  Box find_box(const std::vector<char> &counts);
  void choose_atoms_to_send(const std::vector<char> &counts, const std::vector<Box> &boxes);
  void receive_atoms();
  void add_images(double reach, const std::vector<char> &counts, const Box &box);
  /// Image numbers along axis a that bring a fractional coordinate into a box.
  bool images(int a, double s, const Box &box, int &first, int &last) const;

  class LAMMPS *lmp_;
  std::string who_; // stands before every message
  std::vector<int> types_;
  std::vector<tagint> tags_;
  std::vector<double> x_;          // (size(), 3) Å
  std::array<double, 3> margin_{}; // the reach in fractional coordinates
  int others_ = 0;
  std::vector<int> sent_;                    // own atoms, rank by rank
  std::vector<int> sent_to_, received_from_; // (ranks) how many
  lpsnmr::neighbors::CellBins places_;
};

} // namespace LAMMPS_NS
