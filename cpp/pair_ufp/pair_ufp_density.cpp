// Density terms of pair style ufp: forces and tallies of one centre.
#include "pair_ufp.h"

#include "core/common/tensor_order.h"
#include "core/density/candidates.h"
#include "core/density/kernel.h"
#include "core/density/ufd_file.h"

#include "atom.h"
#include "error.h"
#include "update.h"

#include <algorithm>

using namespace LAMMPS_NS;
using lpsnmr::tensor_order;

/// Take up the density file, if there is one among the texts; return an error message or an empty
/// string. Throws what parsing throws.
std::string PairUFP::build_density(const std::vector<std::string> &paths,
                                   const std::vector<std::string> &texts,
                                   const PotentialIdentity &identity) {
  std::unique_ptr<lpsnmr::density::Kernel> kernel;
  for (std::size_t f = 0; f < texts.size(); ++f) {
    if (!lpsnmr::density::is_ufd(texts[f])) continue;
    if (kernel)
      return paths[f] + ": density terms stand in another file of this pair_coeff already";
    const lpsnmr::density::UfdFile file = lpsnmr::density::parse_ufd(texts[f], paths[f]);
    if (file.units != update->unit_style)
      return paths[f] + ": the density terms are in units " + file.units +
             ", the simulation in units " + update->unit_style;
    const std::vector<std::string> &hashes = identity.hashes;
    if (!file.base.empty() && std::find(hashes.begin(), hashes.end(), file.base) == hashes.end())
      return paths[f] + ": its density terms belong to a .uf3 file with SHA-256 " +
             file.base.substr(0, 12) +
             "..., which is not among the files of pair_coeff; fit and copy both files together";
    const std::vector<std::string> names(elements, elements + nelements);
    kernel = std::make_unique<lpsnmr::density::Kernel>(lpsnmr::density::Potential(file, names));
  }
  density_ = body_order_ == 3 ? std::move(kernel) : nullptr;
  density_candidates_ = std::make_unique<lpsnmr::density::CandidateLists>();
  return "";
}

/// Warn, on rank 0, of a .uf3 file that was fitted with density terms and stands alone.
void PairUFP::warn_of_missing_density(const std::vector<std::string> &paths,
                                      const std::vector<std::string> &texts) const {
  if (density_ || body_order_ != 3) return;
  for (std::size_t f = 0; f < texts.size(); ++f)
    if (texts[f].find("# lpsnmr-ufd:") != std::string::npos)
      error->warning(FLERR,
                     "Pair style ufp: {} was fitted together with density terms (.ufd), which "
                     "pair_coeff does not name",
                     paths[f]);
}

/// Shares of a force between centre i and its neighbour j at `r`: the virial in halves for
/// stress/atom; wholly to the neighbour for centroid/stress/atom, as the heat flux asks for where
/// all energy belongs to the centre.
void PairUFP::tally_density(int i, int j, const double *r, const double *force) {
  for (int c = 0; c < 9; ++c) {
    const double v = r[tensor_order[c][0]] * force[tensor_order[c][1]];
    if (cvflag_atom) cvatom[j][c] += v;
    if (!vflag_atom || c > 5) continue;
    vatom[i][c] += 0.5 * v;
    vatom[j][c] += 0.5 * v;
  }
}

/// Terms around atom i, the k-th of the list.
void PairUFP::add_density(int i, std::size_t k) {
  const lpsnmr::ufp::Atom &packed = atoms_[std::size_t(i)];
  if (!density_->has_center(static_cast<int>(packed.species))) return;
  const lpsnmr::density::Center &center =
      density_->evaluate(atoms_.data(), packed, (*density_candidates_)[k], vflag_either);
  double **const f = atom->f;
  for (int a = 0; a < 3; ++a) f[i][a] += center.force[a];
  for (std::size_t s = 0; s < center.begin.size(); ++s)
    for (auto t = std::size_t(center.begin[s]); t < std::size_t(center.end[s]); ++t) {
      const int j = center.index[t];
      f[j][0] += center.force_x[t];
      f[j][1] += center.force_y[t];
      f[j][2] += center.force_z[t];
      if (!vflag_atom && !cvflag_atom) continue;
      const double r[3] = {center.x[t], center.y[t], center.z[t]};
      const double force[3] = {center.force_x[t], center.force_y[t], center.force_z[t]};
      tally_density(i, j, r, force);
    }
  if (eflag_global) eng_vdwl += center.energy;
  if (eflag_atom) eatom[i] += center.energy;
  if (vflag_global)
    for (int c = 0; c < 6; ++c) virial[c] += center.virial[c];
}

/// Largest distance at which density terms of two species reach, Å.
double PairUFP::density_cutoff(int a, int b) const {
  return density_ ? density_->potential().cutoff(a, b) : 0.0;
}
