#include "compute_ufp_extrapolation.h"

#include "abort_with_message.h"
#include "full_list_request.h"
#include "pair_ufp.h"
#include "shared_text.h"

#include "core/grades/extrapolation.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "memory.h"
#include "neigh_list.h"
#include "update.h"
#include "utils.h"

#include <algorithm>
#include <cmath>
#include <new>

using namespace LAMMPS_NS;

namespace {

constexpr int n_fixed = 4; // ID, group, style and file come before the elements
const char *const who = "Compute ufp/extrapolation";

} // namespace

ComputeUFPExtrapolation::ComputeUFPExtrapolation(LAMMPS *lmp, int narg, char **arg)
    : Compute(lmp, narg, arg) {
  if (narg != n_fixed + atom->ntypes)
    error->all(FLERR,
               "{}: expected compute ID group ufp/extrapolation FILE and one element name (or "
               "NULL) for each of the {} atom types, got {} name(s)",
               who, atom->ntypes, std::max(narg - n_fixed, 0));
  peratom_flag = 1;
  size_peratom_cols = 2;
  vector_flag = 1;
  size_vector = 4;
  extvector = -1;
  extlist = new int[4]{0, 0, 1, 1};
  vector = new double[4]{0, 0, 0, 0};

  path_ = arg[3];
  std::string text;
  std::string message = read_text_everywhere(lmp, path_, "extrapolation file", text);
  if (message.empty()) message = build(path_, text, arg + n_fixed);
  if (failed_anywhere(lmp, !message.empty()))
    error->all(FLERR, "{}: {}", who,
               message.empty() ? "the file could not be set up on another rank"
                               : printable(message));
}

ComputeUFPExtrapolation::~ComputeUFPExtrapolation() {
  if (copymode) return;
  memory->destroy(grades_);
  delete[] extlist;
  delete[] vector;
}

/// Parse the file and give every type its species; return an error message or an empty string.
std::string ComputeUFPExtrapolation::build(const std::string &path, const std::string &text,
                                           char **elements) {
  try {
    extrapolation_ =
        std::make_unique<lpsnmr::grades::Extrapolation>(lpsnmr::grades::parse_ufx(text, path));
  } catch (const std::exception &problem) {
    return problem.what();
  }
  const std::vector<std::string> &names = extrapolation_->file().elements;
  species_of_type_.assign(atom->ntypes + 1, -1);
  for (int type = 1; type <= atom->ntypes; ++type) {
    const std::string name = elements[type - 1];
    if (name == "NULL") continue;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      std::string known;
      for (const std::string &element : names) known += " " + element;
      return path + ": no element '" + name + "' in the extrapolation file; it has:" + known;
    }
    species_of_type_[type] = static_cast<int>(found - names.begin());
  }
  return "";
}

/// Refuse to grade by the training of another potential than the one that is running.
void ComputeUFPExtrapolation::check_potential() {
  bool seen = false;
  for (int number = 0;; ++number) {
    // 0 finds a style that is there once; 1, 2, ... those that hybrid has several times
    const Pair *const pair = force->pair_match("ufp", 1, number);
    const auto *const ufp = dynamic_cast<const PairUFP *>(pair);
    if (!ufp && number > 0) break;
    if (!ufp) continue;
    seen = true;
    const std::vector<std::string> &hashes = ufp->file_hashes();
    if (std::find(hashes.begin(), hashes.end(), extrapolation_->file().potential) != hashes.end())
      return;
    if (number == 0) break;
  }
  if (seen)
    error->all(FLERR,
               "{}: {} belongs to another potential (SHA-256 {}...) than pair style ufp uses; fit "
               "and copy the .uf3 and .ufx files together",
               who, path_, extrapolation_->file().potential.substr(0, 12));
}

/// Cutoff to ask for, 0 when the pair style's own cutoffs make LAMMPS list every neighbour.
double ComputeUFPExtrapolation::cutoff_beyond_pair_list() const {
  if (!force->pair || !force->pair->cutsq) return extrapolation_->cutoff();
  for (int i = 1; i <= atom->ntypes; ++i)
    for (int j = 1; j <= atom->ntypes; ++j) {
      if (species_of_type_[i] < 0 || species_of_type_[j] < 0) continue;
      const double needed = extrapolation_->cutoff(species_of_type_[i], species_of_type_[j]);
      if (force->pair->cutsq[i][j] < needed * needed * (1.0 - 1e-12))
        return extrapolation_->cutoff();
    }
  return 0.0;
}

void ComputeUFPExtrapolation::init() {
  check_visible_neighbors(lmp, who);
  check_potential();
  request_full_list(lmp, this, who, cutoff_beyond_pair_list());
}

void ComputeUFPExtrapolation::init_list(int, NeighList *list) {
  list_ = list;
}

void ComputeUFPExtrapolation::gather_neighbors(int i) {
  const double *const *const x = atom->x;
  const double cutoff = extrapolation_->cutoff();
  const int *const neighbors = list_->firstneigh[i];
  const int count = list_->numneigh[i];
  vectors_.clear();
  distances_.clear();
  neighbor_species_.clear();
  for (int n = 0; n < count; ++n) {
    const int j = neighbors[n] & NEIGHMASK;
    const int species = species_of_type_[atom->type[j]];
    if (species < 0) continue;
    const double dx = x[j][0] - x[i][0], dy = x[j][1] - x[i][1], dz = x[j][2] - x[i][2];
    const double r2 = dx * dx + dy * dy + dz * dz;
    if (r2 < cutoff * cutoff) {
      vectors_.insert(vectors_.end(), {dx, dy, dz});
      distances_.push_back(std::sqrt(r2));
      neighbor_species_.push_back(species);
    }
    if (std::isnan(r2))
      abort_with_message(lmp, FLERR,
                         fmt::format("{}: the position of atom {} or {} is not a number", who,
                                     atom->tag[i], atom->tag[j]));
  }
}

void ComputeUFPExtrapolation::compute_peratom() {
  invoked_peratom = update->ntimestep;
  if (atom->nmax > nmax_) {
    memory->destroy(grades_);
    nmax_ = atom->nmax;
    memory->create(grades_, nmax_, 2, "ufp/extrapolation:grades");
    array_atom = grades_;
  }
  if (atom->nlocal > 0) std::fill_n(grades_[0], 2 * static_cast<std::size_t>(atom->nlocal), 0.0);
  try {
    graded_.clear();
    extrapolation_->discard(); // of a call that an error ended
    for (int ii = 0; ii < list_->inum; ++ii) {
      const int i = list_->ilist[ii];
      const int species = species_of_type_[atom->type[i]];
      if (species < 0 || !(atom->mask[i] & groupbit)) continue;
      gather_neighbors(i);
      extrapolation_->add(species, {distances_.size(), vectors_.data(), distances_.data(), nullptr,
                                    neighbor_species_.data(), nullptr});
      graded_.push_back(i);
    }
    const std::vector<lpsnmr::grades::SiteGrade> sites = extrapolation_->finish();
    for (std::size_t n = 0; n < sites.size(); ++n) {
      grades_[graded_[n]][0] = sites[n].excess;
      grades_[graded_[n]][1] = sites[n].grade;
    }
  } catch (const std::bad_alloc &) {
    abort_with_message(lmp, FLERR, fmt::format("{}: out of memory", who));
  }
}

/// Largest excess (Å), largest grade, atoms with an excess, atoms with a grade above 1.
void ComputeUFPExtrapolation::compute_vector() {
  invoked_vector = update->ntimestep;
  if (invoked_peratom != update->ntimestep) compute_peratom();
  double largest[2] = {0, 0}, beyond[2] = {0, 0};
  for (int i = 0; i < atom->nlocal; ++i) {
    for (int c = 0; c < 2; ++c) largest[c] = std::max(largest[c], grades_[i][c]);
    beyond[0] += grades_[i][0] > 0.0;
    beyond[1] += grades_[i][1] > 1.0;
  }
  MPI_Allreduce(largest, vector, 2, MPI_DOUBLE, MPI_MAX, world);
  MPI_Allreduce(beyond, vector + 2, 2, MPI_DOUBLE, MPI_SUM, world);
}

double ComputeUFPExtrapolation::memory_usage() {
  return 2.0 * nmax_ * sizeof(double) +
         double(graded_.capacity() * (sizeof(int) + sizeof(lpsnmr::grades::SiteGrade))) +
         double(vectors_.capacity() + distances_.capacity()) * sizeof(double) +
         double(neighbor_species_.capacity()) * sizeof(int) + extrapolation_->bytes();
}
