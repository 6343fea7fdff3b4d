// LAMMPS adapter of the ultra-fast potential: settings, file, neighbour loop and tallies. The
// mathematics is in cpp/core.
#pragma once

#include "pair.h"

#include <memory>
#include <string>
#include <vector>

namespace lpsnmr {
class UfpCandidateLists;
class UfpKernel;
class UfpPotential;
struct TripletRecord;
struct UfpAtom;
struct UfpCenter;
} // namespace lpsnmr

namespace LAMMPS_NS {

class PairUFP : public Pair {
public:
  explicit PairUFP(class LAMMPS *);
  ~PairUFP() override;

  void compute(int, int) override;
  void settings(int, char **) override;
  void coeff(int, char **) override;
  void init_style() override;
  double init_one(int, int) override;
  double single(int, int, int, int, double, double, double, double &) override;
  double memory_usage() override;

private:
  void allocate();
  void forget_coefficients();
  std::string build_potential(const std::string &path, const std::string &text);
  void pack_atoms();
  void list_candidates();
  void report_bad_neighbor(int i);
  void tally(int i, const lpsnmr::UfpCenter &center, bool per_atom);
  void tally_triplets(int i, const lpsnmr::UfpCenter &center);

  int body_order_ = 3;
  std::unique_ptr<lpsnmr::UfpPotential> potential_;
  std::unique_ptr<lpsnmr::UfpKernel> kernel_;
  std::unique_ptr<lpsnmr::UfpCandidateLists> candidates_; // of list->ilist, made with that list
  std::vector<lpsnmr::UfpAtom> atoms_;                    // owned and ghost
  bigint list_builds_ = -1;                               // of LAMMPS when candidates_ was made
  std::vector<lpsnmr::TripletRecord> records_;
  double short_range_pairs_ = 0;
};

} // namespace LAMMPS_NS
