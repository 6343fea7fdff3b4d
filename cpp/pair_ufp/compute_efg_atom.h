// LAMMPS adapter of the EFG model: arguments, file, neighbour loops and the exchange of bridges.
// The mathematics is in cpp/core.
#pragma once

#include "compute.h"

#include <memory>
#include <string>
#include <vector>

namespace lpsnmr {
class EfgBasis;
class EfgPredictor;
struct Neighborhood;
} // namespace lpsnmr

namespace LAMMPS_NS {

class ComputeEFGAtom : public Compute {
public:
  ComputeEFGAtom(class LAMMPS *, int, char **);
  ~ComputeEFGAtom() override;

  void init() override;
  void init_list(int, class NeighList *) override;
  void compute_peratom() override;
  double compute_scalar() override;
  int pack_forward_comm(int, int *, double *, int, int *) override;
  void unpack_forward_comm(int, int, double *) override;
  double memory_usage() override;

private:
  /// One element the model predicts that occurs among the atom types.
  struct Target {
    std::unique_ptr<lpsnmr::EfgPredictor> predictor;
    std::vector<double> contracted;   // (slots, predictor.contracted_size())
    std::vector<unsigned char> flags; // (slots)
    std::vector<double> sources;      // (own and ghost atoms, predictor.field()->source_size())
  };
  /// What a forward communication carries.
  enum class Carried { sources, bridges };

  std::string build_model(const std::string &path, const std::string &text, char **elements);
  std::string map_types(const std::string &path, const lpsnmr::EfgBasis &basis, char **elements);
  bool pair_list_suffices() const;
  void assign_slots();
  enum class Slots { bridges, atoms };
  bool reaches_target(int i) const;
  void gather_neighbors(int i, double cutoff, Slots slots = Slots::bridges);
  lpsnmr::Neighborhood neighborhood() const;
  void describe_sources();
  void contract_bridges();
  void contract_bridge(int i);
  void send_to_ghosts(Carried carried);
  void predict_targets();

  class NeighList *list_ = nullptr;
  std::vector<int> species_of_type_; // position in the model's species, −1: ignored
  std::vector<int> bridge_of_type_;  // position in the model's bridges, −1: none
  std::vector<int> target_of_type_;  // position in targets_, −1: none
  std::vector<Target> targets_;
  double target_cutoff_ = 0.0, bridge_cutoff_ = 0.0, chain_cutoff_ = 0.0; // Å
  double field_cutoff_ = 0.0, source_cutoff_ = 0.0;                       // Å
  Carried carried_ = Carried::bridges;
  int row_size_ = 0;    // numbers that describe one bridge to all targets, flags included
  int source_size_ = 0; // numbers of one source for all targets

  std::vector<int> slot_of_; // bridge slot of each own and ghost atom, −1 for others
  std::size_t n_near_ = 0;   // neighbours gathered in the vectors below, which may be longer
  std::vector<double> vectors_, distances_;
  std::vector<int> neighbor_species_, neighbor_slots_;
  int nmax_ = 0;
  double **tensors_ = nullptr; // (nmax_, 6) V/Å²
  double flagged_ = 0.0;       // tensors of this rank outside the range of training
};

} // namespace LAMMPS_NS
