// Notes, every so many steps, what an analysis of moving nuclei needs of the atoms of this rank:
// tensors and positions of the targets, sums of the positions of everything else. `lpsnmr run`
// reads it after each run command.
#pragma once

#include "fix.h"

#include <string>
#include <vector>

namespace LAMMPS_NS {

class FixEFGSamples : public Fix {
public:
  FixEFGSamples(class LAMMPS *, int, char **);

  int setmask() override;
  void init() override;
  void end_of_step() override;
  double memory_usage() override;

private:
  static constexpr int columns = 12;

  void begin_batch();
  double *add_row(double sample, double id);
  void note_moment(double sample);
  void note_atoms(double sample);
  void end_batch();

  bigint interval_ = 1, first_ = 0; // steps between samples, step of one of them
  std::string id_of_compute_;
  class Compute *tensors_ = nullptr, *temperature_ = nullptr;
  bigint batch_first_ = -1; // first step of the run command that fills the rows
  int samples_ = 0;         // in the batch
  std::vector<double> values_;
  std::vector<double *> rows_; // what array_local points to
  std::vector<double> sums_;   // by atom id, three each, of this batch
  std::vector<tagint> summed_; // ids that have a sum
};

} // namespace LAMMPS_NS
