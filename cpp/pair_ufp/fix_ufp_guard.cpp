#include "fix_ufp_guard.h"

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "update.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace LAMMPS_NS;
using namespace FixConst;

namespace {

constexpr std::size_t most_named = 10;

} // namespace

FixUFPGuard::FixUFPGuard(LAMMPS *lmp, int narg, char **arg) : Fix(lmp, narg, arg) {
  if (narg != 3) error->all(FLERR, "Fix ufp/guard takes no arguments, got {}", narg - 3);
}

int FixUFPGuard::setmask() {
  return PRE_EXCHANGE | PRE_NEIGHBOR | MIN_PRE_EXCHANGE | MIN_PRE_NEIGHBOR;
}

/// The values of all ranks, ascending. Collective.
std::vector<tagint> FixUFPGuard::all_tags(const std::vector<tagint> &own) const {
  const int here = static_cast<int>(own.size());
  std::vector<int> counts(comm->nprocs), first(comm->nprocs, 0);
  MPI_Allgather(&here, 1, MPI_INT, counts.data(), 1, MPI_INT, world);
  for (int p = 1; p < comm->nprocs; ++p) first[p] = first[p - 1] + counts[p - 1];
  std::vector<tagint> all(first.back() + counts.back());
  MPI_Allgatherv(own.data(), here, MPI_LMP_TAGINT, all.data(), counts.data(), first.data(),
                 MPI_LMP_TAGINT, world);
  std::sort(all.begin(), all.end());
  return all;
}

/// "2 atom(s): 7 12". Collective.
std::string FixUFPGuard::name_atoms(const std::vector<tagint> &own) const {
  const std::vector<tagint> all = all_tags(own);
  std::string out = std::to_string(all.size()) + " atom(s):";
  for (std::size_t n = 0; n < std::min(all.size(), most_named); ++n)
    out += " " + std::to_string(all[n]);
  return out + (all.size() > most_named ? " ..." : "");
}

/// LAMMPS looks at the positions next, and would not say which are no numbers.
void FixUFPGuard::pre_exchange() {
  const double *const *const x = atom->x;
  std::vector<tagint> broken;
  before_.assign(atom->tag, atom->tag + atom->nlocal);
  for (int i = 0; i < atom->nlocal; ++i)
    if (!std::isfinite(x[i][0] + x[i][1] + x[i][2])) broken.push_back(atom->tag[i]);
  const int here = !broken.empty();
  int anywhere = 0;
  MPI_Allreduce(&here, &anywhere, 1, MPI_INT, MPI_MAX, world);
  if (anywhere)
    error->all(FLERR, "Pair style ufp: step {}: the position is not a number of {}",
               update->ntimestep, name_atoms(broken));
}

/// Atoms have changed ranks: all must have arrived.
void FixUFPGuard::pre_neighbor() {
  const bigint here = atom->nlocal;
  bigint everywhere = 0;
  MPI_Allreduce(&here, &everywhere, 1, MPI_LMP_BIGINT, MPI_SUM, world);
  if (everywhere < atom->natoms && everywhere != reported_) {
    reported_ = everywhere;
    report_lost();
  }
}

/// Where atoms may leave the box it is for thermo_modify lost to decide; elsewhere it is an error.
void FixUFPGuard::report_lost() {
  const std::vector<tagint> now =
      all_tags(std::vector<tagint>(atom->tag, atom->tag + atom->nlocal));
  std::vector<tagint> lost;
  for (const tagint tag : before_)
    if (!std::binary_search(now.begin(), now.end(), tag)) lost.push_back(tag);
  const std::string message =
      fmt::format("Pair style ufp: step {}: lost {}", update->ntimestep, name_atoms(lost));
  if (domain->nonperiodic == 0)
    error->all(FLERR,
               "{}; they moved further than a rank's share of the box between two neighbor "
               "list builds: a smaller time step or better start is needed",
               message);
  if (comm->me == 0) error->warning(FLERR, message);
}

void FixUFPGuard::setup_pre_exchange() {
  pre_exchange();
}

void FixUFPGuard::min_pre_exchange() {
  pre_exchange();
}

void FixUFPGuard::setup_pre_neighbor() {
  pre_neighbor();
}

void FixUFPGuard::min_pre_neighbor() {
  pre_neighbor();
}

double FixUFPGuard::memory_usage() {
  return double(before_.capacity()) * sizeof(tagint);
}
