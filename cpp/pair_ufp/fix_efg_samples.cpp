#include "fix_efg_samples.h"

#include "core/efg/components.h"

#include "atom.h"
#include "comm.h"
#include "compute.h"
#include "domain.h"
#include "error.h"
#include "modify.h"
#include "update.h"
#include "utils.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace LAMMPS_NS;
using namespace FixConst;

FixEFGSamples::FixEFGSamples(LAMMPS *lmp, int narg, char **arg) : Fix(lmp, narg, arg) {
  if (narg != 6)
    error->all(FLERR,
               "Fix efg/samples: expected fix ID group efg/samples INTERVAL STEP COMPUTE, got "
               "{} argument(s) after the style",
               narg - 3);
  nevery = 1;
  interval_ = utils::bnumeric(FLERR, arg[3], false, lmp);
  first_ = utils::bnumeric(FLERR, arg[4], false, lmp);
  if (interval_ < 1)
    error->all(FLERR, "Fix efg/samples: expected an INTERVAL of at least 1 step, got {}", arg[3]);
  if (!atom->tag_enable) error->all(FLERR, "Fix efg/samples: atoms need ids");
  tensors_ = modify->get_compute_by_id(arg[5]);
  if (!tensors_ || std::strcmp(tensors_->style, "efg/atom") != 0)
    error->all(FLERR, "Fix efg/samples: there is no compute {} of style efg/atom", arg[5]);
  id_of_compute_ = arg[5];
  local_flag = 1;
  size_local_cols = columns;
  local_freq = 1;
}

int FixEFGSamples::setmask() {
  return END_OF_STEP;
}

void FixEFGSamples::init() {
  tensors_ = modify->get_compute_by_id(id_of_compute_);
  if (!tensors_)
    error->all(FLERR, "Fix efg/samples: compute {} is no longer there", id_of_compute_);
  if (atom->map_style == Atom::MAP_NONE)
    error->all(FLERR, "Fix efg/samples: ids must be mapped; use atom_modify map");
  temperature_ = modify->get_compute_by_id("thermo_temp");
}

/// Forget what the run command before has left.
void FixEFGSamples::begin_batch() {
  batch_first_ = update->firststep;
  samples_ = 0;
  values_.clear();
  sums_.resize(3 * (static_cast<std::size_t>(atom->map_tag_max) + 1));
  for (const tagint id : summed_) std::fill_n(sums_.data() + 3 * id, 3, 0.0);
  summed_.clear();
}

double *FixEFGSamples::add_row(double sample, double id) {
  values_.resize(values_.size() + columns, 0.0);
  double *const row = values_.data() + values_.size() - columns;
  row[0] = sample;
  row[1] = id;
  return row + 2;
}

void FixEFGSamples::end_of_step() {
  const bigint step = update->ntimestep;
  if ((step - first_) % interval_ != 0) return;
  if (update->firststep != batch_first_) begin_batch();
  note_moment(samples_);
  note_atoms(samples_);
  ++samples_;
  if (step + interval_ > update->laststep) end_batch();
  rows_.clear();
  for (std::size_t k = 0; k < values_.size(); k += columns) rows_.push_back(values_.data() + k);
  array_local = rows_.data();
  size_local_rows = static_cast<int>(rows_.size());
}

/// One row with id 0: temperature, flagged tensors (both of all ranks), own atoms, cell, step.
void FixEFGSamples::note_moment(double sample) {
  const double temperature = temperature_ ? temperature_->compute_scalar() : std::nan("");
  const double flagged = tensors_->compute_scalar();
  double *const row = add_row(sample, 0);
  row[0] = temperature;
  row[1] = flagged;
  row[2] = atom->nlocal;
  std::copy_n(domain->prd, 3, row + 3);
  row[6] = domain->xy;
  row[7] = domain->xz;
  row[8] = domain->yz;
  row[9] = static_cast<double>(update->ntimestep);
}

/// A row for each own target with its id, five components and unwrapped position; rows with −type
/// and the summed positions of that type's own atoms of the group; and the sums by atom.
void FixEFGSamples::note_atoms(double sample) {
  const double *const *const tensors = tensors_->array_atom;
  std::vector<double> by_type(3 * (atom->ntypes + 1), 0.0);
  for (int i = 0; i < atom->nlocal; ++i) {
    double position[3];
    domain->unmap(atom->x[i], atom->image[i], position);
    const tagint id = atom->tag[i];
    if (atom->mask[i] & tensors_->groupbit) {
      double *const row = add_row(sample, static_cast<double>(id));
      lpsnmr::efg::components_of(tensors[i], row);
      std::copy_n(position, 3, row + 5);
    } else if (atom->mask[i] & groupbit) {
      double *const sum = sums_.data() + 3 * id;
      if (sum[0] == 0.0 && sum[1] == 0.0 && sum[2] == 0.0) summed_.push_back(id);
      for (int k = 0; k < 3; ++k) sum[k] += position[k];
      for (int k = 0; k < 3; ++k) by_type[3 * atom->type[i] + k] += position[k];
    }
  }
  for (int type = 1; type <= atom->ntypes; ++type)
    std::copy_n(by_type.data() + 3 * type, 3, add_row(sample, -type));
}

/// Rows with sample −1, the id and the summed positions of each atom of the group seen in the
/// batch.
void FixEFGSamples::end_batch() {
  for (const tagint id : summed_)
    std::copy_n(sums_.data() + 3 * id, 3, add_row(-1, static_cast<double>(id)));
}

double FixEFGSamples::memory_usage() {
  return double(values_.capacity() + sums_.capacity()) * sizeof(double) +
         double(rows_.capacity()) * sizeof(double *) + double(summed_.capacity()) * sizeof(tagint);
}
