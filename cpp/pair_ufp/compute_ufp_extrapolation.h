// LAMMPS adapter of the extrapolation measure: arguments, file, neighbour loop and sums. The
// mathematics is in cpp/core.
#pragma once

#include "compute.h"

#include <memory>
#include <string>
#include <vector>

namespace lpsnmr::grades {
class Extrapolation;
} // namespace lpsnmr::grades

namespace LAMMPS_NS {

class ComputeUFPExtrapolation : public Compute {
public:
  ComputeUFPExtrapolation(class LAMMPS *, int, char **);
  ~ComputeUFPExtrapolation() override;

  void init() override;
  void init_list(int, class NeighList *) override;
  void compute_peratom() override;
  void compute_vector() override;
  double memory_usage() override;

private:
  std::string build(const std::string &path, const std::string &text, char **elements);
  void check_potential();
  double cutoff_beyond_pair_list() const;
  void gather_neighbors(int i);

  class NeighList *list_ = nullptr;
  std::string path_;
  std::vector<int> species_of_type_; // position in the file's elements, −1: ignored
  std::unique_ptr<lpsnmr::grades::Extrapolation> extrapolation_;
  // neighbours of the atom last looked at
  std::vector<double> vectors_, distances_; // (n, 3) and (n), Å
  std::vector<int> neighbor_species_;
  std::vector<int> graded_; // atoms, in the order they are graded
  int nmax_ = 0;
  double **grades_ = nullptr; // (nmax_, 2) distance excess (Å), grade
};

} // namespace LAMMPS_NS
