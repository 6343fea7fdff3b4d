// LAMMPS adapter of the EFG model: arguments, file, loops over atoms and the exchange of bridges.
// The mathematics is in cpp/core.
#pragma once

#include "on_demand_ghosts.h"

#include "compute.h"

#include <memory>
#include <string>
#include <vector>

namespace lpsnmr::efg {
class Basis;
class Predictor;
} // namespace lpsnmr::efg

namespace LAMMPS_NS {

class ComputeEFGAtom : public Compute {
public:
  ComputeEFGAtom(class LAMMPS *, int, char **);
  ~ComputeEFGAtom() override;

  void init() override;
  void compute_peratom() override;
  double compute_scalar() override;
  double memory_usage() override;

private:
  /// One element the model predicts that occurs among the atom types.
  struct Target {
    std::unique_ptr<lpsnmr::efg::Predictor> predictor;
    std::vector<double> contracted;   // (atoms_.size(), predictor.contracted_size())
    std::vector<unsigned char> flags; // (atoms_.size())
    std::vector<double> sources;      // (atoms_.size(), predictor.field()->source_size())
  };

  std::string build_model(const std::string &path, const std::string &text, char **elements);
  std::string map_types(const std::string &path, const lpsnmr::efg::Basis &basis, char **elements);
  void make_room();
  void find_neighbors(int i, double cutoff);
  void gather_neighbors(int i, double cutoff);
  [[noreturn]] void stop_at_overlap(int i);
  bool reaches_target() const;
  lpsnmr::neighbors::Neighborhood neighborhood() const;
  lpsnmr::neighbors::Neighborhood sources_around() const;
  void describe_source(int i);
  void contract_bridge(int i);
  void describe_surroundings();
  void add_fields();
  void share_bridges();
  void predict_targets();

  std::vector<int> species_of_type_;   // position in the model's species, −1: ignored
  std::vector<int> bridge_of_type_;    // position in the model's bridges, −1: none
  std::vector<int> target_of_type_;    // position in targets_, −1: none
  std::vector<char> counts_, bridges_; // by type: whether it has a species, whether it is a bridge
  std::vector<Target> targets_;
  bool has_field_ = false;
  double reach_ = 0.0, target_cutoff_ = 0.0, bridge_cutoff_ = 0.0, chain_cutoff_ = 0.0; // Å
  double field_cutoff_ = 0.0, source_cutoff_ = 0.0;                                     // Å

  OnDemandGhosts atoms_;
  lpsnmr::neighbors::NeighborList
      near_;                    // neighbours of the atom last looked at, by numbers of atoms_
  std::size_t n_neighbors_ = 0; // how many; the arrays are larger
  std::vector<int> neighbor_species_, neighbor_slots_;
  std::vector<int> reaching_; // own bridges that reach a target
  int nmax_ = 0;
  double **tensors_ = nullptr; // (nmax_, 6) V/Å²
  double flagged_ = 0.0;       // tensors of this rank outside the range of training
};

} // namespace LAMMPS_NS
