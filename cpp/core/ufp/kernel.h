// The UFP of one central atom: two- and three-body energy, forces and virial from its neighbours.
#pragma once

#include "core/common/aligned.h"
#include "core/simd/instructions.h"
#include "core/ufp/cell_polynomials.h"
#include "core/ufp/tables.h"

#include <cstddef>
#include <vector>

namespace lpsnmr::ufp {

/// An atom as the kernel reads it; 32 bytes, loaded at once.
struct alignas(32) Atom {
  double x, y, z; ///< Å
  double species; ///< a small whole number
};

/// One three-body term, kept only when the caller tallies per atom.
struct TripletRecord {
  int j, k;                            ///< positions in the three-body neighbours of the centre
  double energy;                       ///< V3, eV
  double slope_ij, slope_ik, slope_jk; ///< dV3/dr, eV/Å
};

/// One two-body term, kept only when the caller tallies per atom.
struct PairRecord {
  int j;            ///< as in Candidates
  double energy;    ///< V2 of one of the two orders, eV
  double pull;      ///< force on j is -pull * vector, eV/Å^2
  double vector[3]; ///< from the centre to j, Å
};

/// Atoms that may interact with one centre, as indices into an array of Atom.
struct Candidates {
  const int *index;     ///< three-body candidates by ascending species, then the others; eight more
                        ///< are readable, where any valid index may stand
  const double *weight; ///< (near) how many of the two orders of a pair are summed here: 0, 1, 2;
                        ///< eight more are readable
  double far_weight;    ///< the same of all others
  int near;             ///< how many are three-body candidates
  int total;
};

/// Triplets of one centre and one table: rows of one j and consecutive k.
struct TripletList {
  static constexpr int size = 256, room = size + 8; ///< a whole vector may start at any entry
  struct Row {
    int j, begin, at; ///< k starts at `begin`, its place in the list at `at`
  };
  int count, row_count, wanted_count;
  Row rows[size];
  int cell[room];   ///< in CenterTables; until it is measured but for r_jk
  int wanted[room]; ///< those within the cutoffs
  alignas(64) double x[room], y[room], z[room];                 ///< r_k - r_j, Å
  alignas(64) double limit[room], inverse[room];                ///< on r_jk; 1/r_jk
  alignas(64) double u_ij[room], u_ik[room], u_jk[room];        ///< places on their spans, Å
  alignas(64) double value[room], ij[room], ik[room], jk[room]; ///< V3 and its three slopes
};

/// Work space and results of one centre; arrays are padded to whole vectors.
struct Center {
  // results of pairs and triplets
  double pair_energy, triplet_energy;       ///< eV: sum_j weight V2(r_ij), sum_{j<k} V3
  double force[3];                          ///< on the centre, of pairs and triplets, eV/Å
  double pair_virial[6], triplet_virial[6]; ///< xx yy zz xy xz yz, eV
  double short_range_pairs;                 ///< summed weights of those below the first knot of V2
  int triplet_count;                        ///< within the cutoffs
  bool valid; ///< false: a candidate lies on the centre, or a position is not a number

  // three-body neighbours, by ascending species
  int neighbors;
  std::vector<int> first;        ///< (species + 1) bounds of the species
  std::vector<int> index;        ///< (neighbors) as in Candidates
  AlignedVector<double> x, y, z; ///< from the centre, Å
  AlignedVector<double> distance, inverse;
  AlignedVector<double> force_x, force_y, force_z; ///< work space: on the neighbour along r_jk

  // work space
  AlignedVector<double> squared; ///< of the distances of all candidates within reach, Å²
  AlignedVector<double> species, weight, radial;
  std::vector<int> entry;  ///< (grid, neighbour) of r_ij on the knots; only grid 0 when common
  AlignedVector<double> u; ///< (grid, neighbour) from where the entry begins, Å
  TripletList triplets = {};
  std::size_t room = 0; ///< neighbours there is room for
};

/// What an evaluation needs besides the energy and the forces.
struct Needs {
  bool virial = false;
  std::vector<PairRecord> *pairs = nullptr;       ///< filled with one entry per pair of weight 2
  std::vector<TripletRecord> *triplets = nullptr; ///< filled with one entry per triplet
};

/// Evaluates one centre at a time; holds the work space, so use one per thread.
///
/// Energies follow the .uf3 convention: E = sum over centres of
/// [sum_j V2(r_ij) + sum_{j<k} V3(r_ij, r_ik, r_jk)].
class Kernel {
public:
  explicit Kernel(const Potential &potential,
                  simd::Instructions instructions = simd::chosen_instructions());

  /// Evaluate the terms centred on `center`; the result holds until the next call.
  ///
  /// @param forces (atoms, 4) those on the neighbours are added to the first three of each, eV/Å
  const Center &evaluate(const Atom *atoms, const Atom &center, const Candidates &candidates,
                         const Needs &needs, double *forces) {
    if (std::size_t(candidates.total) > center_.room) make_room(std::size_t(candidates.total));
    function_({&tables_, &blocks_, atoms, &center, &candidates, &needs, forces}, center_);
    return center_;
  }

  simd::Instructions instructions() const { return instructions_; }
  const Tables &tables() const { return tables_; }
  double memory_usage() const;

  struct Input {
    const Tables *tables;
    CellPolynomials *blocks;
    const Atom *atoms;
    const Atom *center;
    const Candidates *candidates;
    const Needs *needs;
    double *forces;
  };
  using Function = void (*)(const Input &, Center &);

private:
  void make_room(std::size_t neighbors);

  Tables tables_;
  CellPolynomials blocks_;
  simd::Instructions instructions_;
  Function function_;
  Center center_;
};

} // namespace lpsnmr::ufp
