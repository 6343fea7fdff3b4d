// LAMMPS adapter of the ultra-fast potential: settings, file, neighbour loop and tallies. The
// mathematics is in cpp/core.
#pragma once

#include "pair.h"

#include "core/common/aligned.h"

#include <memory>
#include <string>
#include <vector>

namespace lpsnmr::density {
class CandidateLists;
class Kernel;
} // namespace lpsnmr::density
namespace lpsnmr::ufp {
class CandidateLists;
class Kernel;
class Potential;
struct PairRecord;
struct TripletRecord;
struct Atom;
struct Center;
} // namespace lpsnmr::ufp

namespace LAMMPS_NS {

/// Which files a potential was read from.
struct PotentialIdentity {
  int order = 3;                   ///< body order in use
  std::vector<std::string> paths;  ///< as given
  std::vector<std::string> hashes; ///< SHA-256 of each
};

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
  void write_restart(FILE *) override;
  void read_restart(FILE *) override;
  void write_restart_settings(FILE *) override;
  void read_restart_settings(FILE *) override;
  double memory_usage() override;

  /// SHA-256 of each file of the potential, in the order of pair_coeff.
  const std::vector<std::string> &file_hashes() const { return identity_.hashes; }

private:
  void allocate();
  void forget_coefficients();
  std::string load(const std::vector<std::string> &paths);
  std::string build_potential(const std::vector<std::string> &paths,
                              const std::vector<std::string> &texts);
  std::string build_density(const std::vector<std::string> &paths,
                            const std::vector<std::string> &texts,
                            const PotentialIdentity &identity);
  std::string check_identity(const PotentialIdentity &found) const;
  bool pack_atoms();
  void list_candidates(bool types_changed);
  void report_bad_neighbor(int i);
  void choose_pairs(int i, const int *neighbors, int count, std::vector<char> &here) const;
  void add_forces();
  void share_pairs(int i);
  void tally(int i, const lpsnmr::ufp::Center &center, bool per_atom);
  void tally_triplets(int i, const lpsnmr::ufp::Center &center);
  void warn_of_missing_density(const std::vector<std::string> &paths,
                               const std::vector<std::string> &texts) const;
  void add_density(int i, std::size_t k);
  void tally_density(int i, int j, const double *r, const double *force);
  double density_cutoff(int a, int b) const;

  int body_order_ = 3;
  PotentialIdentity identity_; // of the files that are loaded
  PotentialIdentity expected_; // what a restart file was written with; empty without one
  std::string restart_problem_;
  std::unique_ptr<lpsnmr::ufp::Potential> potential_;
  std::unique_ptr<lpsnmr::ufp::Kernel> kernel_;
  std::unique_ptr<lpsnmr::ufp::CandidateLists> candidates_; // of list->ilist, made with that list
  std::vector<lpsnmr::ufp::Atom> atoms_;                    // owned and ghost
  std::unique_ptr<lpsnmr::density::Kernel> density_;        // empty without density terms
  std::unique_ptr<lpsnmr::density::CandidateLists> density_candidates_;
  bigint list_builds_ = -1;                    // of LAMMPS when candidates_ was made
  lpsnmr::AlignedVector<double> forces_;       // (owned and ghost, 4)
  std::vector<lpsnmr::ufp::PairRecord> pairs_; // of one centre, for tallies per atom
  std::vector<lpsnmr::ufp::TripletRecord> triplets_;
  double short_range_pairs_ = 0;
};

} // namespace LAMMPS_NS
