#include "pair_ufp.h"

#include "abort_with_message.h"
#include "fix_ufp_guard.h"

#include "core/common/tensor_order.h"
#include "core/density/candidates.h"
#include "core/density/kernel.h"
#include "core/ufp/candidates.h"
#include "core/ufp/kernel.h"
#include "core/ufp/potential.h"

#include "atom.h"
#include "error.h"
#include "force.h"
#include "memory.h"
#include "modify.h"
#include "neigh_list.h"
#include "neighbor.h"
#include "update.h"
#include "utils.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace LAMMPS_NS;
using lpsnmr::tensor_order;

PairUFP::PairUFP(LAMMPS *lmp) : Pair(lmp) {
  single_enable = 0;
  one_coeff = 1;
  manybody_flag = 1;
  centroidstressflag = CENTROID_AVAIL;
  // two-body forces are computed once on each side, so the sum over r.f of ghosts is not the virial
  no_virial_fdotr_compute = 1;
  nextra = 1;
  pvector = new double[1]{0.0};
}

PairUFP::~PairUFP() {
  if (copymode) return;
  delete[] pvector;
  if (modify->get_fix_by_id(FixUFPGuard::default_id)) modify->delete_fix(FixUFPGuard::default_id);
  if (allocated) {
    memory->destroy(setflag);
    memory->destroy(cutsq);
  }
}

void PairUFP::allocate() {
  allocated = 1;
  const int n = atom->ntypes + 1;
  memory->create(setflag, n, n, "pair:setflag");
  memory->create(cutsq, n, n, "pair:cutsq");
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) setflag[i][j] = 0;
  map = new int[n];
}

void PairUFP::settings(int narg, char **arg) {
  if (narg > 1)
    error->all(FLERR,
               "Pair style ufp takes at most one argument, the body order 2 or 3, but got {}",
               narg);
  body_order_ = 3;
  if (narg == 1) {
    if (strcmp(arg[0], "2") != 0 && strcmp(arg[0], "3") != 0)
      error->all(FLERR, "Pair style ufp: expected body order 2 or 3, got '{}'", arg[0]);
    body_order_ = arg[0][0] - '0';
  }
  single_enable = body_order_ == 2;
  forget_coefficients(); // they were read for the order before
  restart_problem_.clear();
}

/// Without its pair_coeff a style does not run: init_one() refuses.
void PairUFP::forget_coefficients() {
  if (!allocated) return;
  const int n = atom->ntypes + 1;
  std::fill_n(&setflag[0][0], n * n, 0);
}

/// The words behind the last that is named as a file of a potential is; the first when none is.
static char **behind_files(char **words, char **end) {
  for (char **word = end; word != words; --word)
    if (utils::strmatch(word[-1], "\\.uf[3d]$")) return word;
  return words;
}

/// Whether all words are like the symbols of elements, and not names of files.
static bool name_elements(char **words, char **end) {
  return std::all_of(words, end,
                     [](const char *word) { return utils::strmatch(word, "^[A-Z][a-z]?$"); });
}

void PairUFP::coeff(int narg, char **arg) {
  const int n_files = narg - 2 - atom->ntypes;
  if (n_files < 1)
    error->all(FLERR,
               "Pair style ufp: expected pair_coeff * * FILE [FILE ...] and one element name (or "
               "NULL) for each of the {} atom types, got {} word(s) behind * *",
               atom->ntypes, std::max(narg - 2, 0));
  char **const names = arg + 2 + n_files;
  char **const behind = behind_files(arg + 2, arg + narg);
  if (behind != arg + 2 && behind != names && (behind > names || name_elements(behind, names))) {
    const std::vector<std::string> given(behind, arg + narg);
    error->all(FLERR,
               "Pair style ufp: expected one element name (or NULL) for each of the {} atom types "
               "behind the files of pair_coeff, got {} ({})",
               atom->ntypes, given.size(), utils::join_words(given, " "));
  }
  for (int type = 1; type <= atom->ntypes; ++type)
    if (strcmp(names[type - 1], "NULL") == 0 && !utils::strmatch(force->pair_style, "^hybrid"))
      error->all(FLERR,
                 "Pair style ufp: atom type {} is given no element; NULL is for types that another "
                 "sub-style of pair_style hybrid treats",
                 type);
  if (!allocated) allocate();
  map_element2type(atom->ntypes, names);
  const std::string message = load({arg + 2, names});
  if (!message.empty()) {
    forget_coefficients(); // a caller from Python may catch the error and go on
    error->all(FLERR, "Pair style ufp: {}", message);
  }
}

void PairUFP::init_style() {
  if (!restart_problem_.empty())
    error->all(FLERR, "Pair style ufp: {}; give pair_coeff after read_restart", restart_problem_);
  if (force->newton_pair == 0) error->all(FLERR, "Pair style ufp requires newton pair on");
  neighbor->add_request(this, NeighConst::REQ_FULL);
  if (!modify->get_fix_by_id(FixUFPGuard::default_id))
    modify->add_fix(std::string(FixUFPGuard::default_id) + " all ufp/guard");
}

double PairUFP::init_one(int i, int j) {
  if (setflag[i][j] == 0)
    error->all(FLERR, "Pair style ufp: no element was given for atom types {} and {}", i, j);
  return std::max(potential_->cutoff(map[i], map[j]), density_cutoff(map[i], map[j]));
}

/// Positions and species of all atoms, as the kernel reads them; whether a species has changed.
bool PairUFP::pack_atoms() {
  const double *const *const x = atom->x;
  const int *const type = atom->type;
  const int all = atom->nlocal + atom->nghost;
  if (atoms_.size() < std::size_t(all)) atoms_.resize(std::size_t(all) + std::size_t(all) / 8);
  bool changed = false;
  for (int i = 0; i < all; ++i) {
    lpsnmr::ufp::Atom &packed = atoms_[std::size_t(i)];
    const double species = map[type[i]];
    changed |= packed.species != species;
    packed = {x[i][0], x[i][1], x[i][2], species};
  }
  return changed;
}

/// Which pairs of atom i with its neighbours are summed with i; the others are with the neighbour.
/// The two atoms may be of two ranks, so that only what both know decides.
void PairUFP::choose_pairs(int i, const int *neighbors, int count, std::vector<char> &here) const {
  const tagint *const tag = atom->tag;
  here.resize(std::size_t(count));
  for (int n = 0; n < count; ++n) {
    const int j = neighbors[n];
    if (tag[i] != tag[j]) {
      here[std::size_t(n)] = (tag[i] > tag[j]) == ((tag[i] + tag[j]) % 2 == 0);
      continue;
    }
    const double *const xi = atom->x[i], *const xj = atom->x[j]; // an image of i itself
    here[std::size_t(n)] = std::lexicographical_compare(xi, xi + 3, xj, xj + 3);
  }
}

/// Sort every atom's neighbours for the kernel, once for each neighbour list; again where a fix has
/// changed types in between.
void PairUFP::list_candidates(bool types_changed) {
  if (!types_changed && neighbor->ago != 0 && list_builds_ == neighbor->ncalls &&
      candidates_->size() == std::size_t(list->inum))
    return;
  list_builds_ = neighbor->ncalls;
  candidates_->clear();
  density_candidates_->clear();
  // later than LAMMPS' list, atoms have moved already: up to half a skin each, and may move back
  const bool late = neighbor->ago != 0 || utils::strmatch(update->integrate_style, "^respa");
  const double skin = (late ? 2.0 : 1.0) * neighbor->skin;
  // with fewer lists than atoms, or without IDs, a pair is summed once from each side
  const bool shared = atom->tag_enable && neighbor->includegroup == 0;
  std::vector<int> members;
  std::vector<char> here;
  for (int ii = 0; ii < list->inum; ++ii) {
    const int i = list->ilist[ii], count = list->numneigh[i];
    members.assign(list->firstneigh[i], list->firstneigh[i] + count);
    for (int &j : members) j &= NEIGHMASK;
    members.push_back(i);
    for (int j : members)
      if (atoms_[std::size_t(j)].species < 0)
        abort_with_message(
            lmp, FLERR,
            fmt::format("Pair style ufp: step {}: atom {} now has type {}, which was given no "
                        "element, and there is no new neighbor list",
                        update->ntimestep, atom->tag[j], atom->type[j]));
    if (shared) choose_pairs(i, members.data(), count, here);
    candidates_->add(*potential_, atoms_.data(), atoms_[std::size_t(i)], members.data(),
                     shared ? here.data() : nullptr, count, skin);
    if (density_)
      density_candidates_->add(density_->potential(), atoms_.data(), atoms_[std::size_t(i)],
                               members.data(), count, skin);
  }
}

/// Say which neighbour of atom i the kernel could not use.
void PairUFP::report_bad_neighbor(int i) {
  const double *const *const x = atom->x;
  const auto stop = [this](const std::string &what) {
    abort_with_message(lmp, FLERR,
                       fmt::format("Pair style ufp: step {}: {}", update->ntimestep, what));
  };
  const auto is_number = [x](int k) { return std::isfinite(x[k][0] + x[k][1] + x[k][2]); };
  if (!is_number(i)) stop(fmt::format("the position of atom {} is not a number", atom->tag[i]));
  for (int n = 0; n < list->numneigh[i]; ++n) {
    const int j = list->firstneigh[i][n] & NEIGHMASK;
    const double dx = x[j][0] - x[i][0], dy = x[j][1] - x[i][1], dz = x[j][2] - x[i][2];
    if (!is_number(j)) stop(fmt::format("the position of atom {} is not a number", atom->tag[j]));
    if (dx * dx + dy * dy + dz * dz <= 1e-16)
      stop(fmt::format("atoms {} and {} are at the same place", atom->tag[i], atom->tag[j]));
  }
  stop(fmt::format("a neighbor of atom {} has no usable position", atom->tag[i]));
}

/// Per-atom shares of the triplets of centre i: a third each, as in LAMMPS' other three-body
/// styles.
void PairUFP::tally_triplets(int i, const lpsnmr::ufp::Center &center) {
  for (const lpsnmr::ufp::TripletRecord &triplet : triplets_) {
    const auto j = std::size_t(triplet.j), k = std::size_t(triplet.k);
    double to_j[3] = {center.x[j], center.y[j], center.z[j]};
    double to_k[3] = {center.x[k], center.y[k], center.z[k]};
    double fi[3], fj[3], fk[3], between[3], r2 = 0;
    for (int a = 0; a < 3; ++a) {
      between[a] = to_k[a] - to_j[a];
      r2 += between[a] * between[a];
    }
    const double pull = triplet.slope_jk / std::sqrt(r2);
    for (int a = 0; a < 3; ++a) {
      fj[a] = -triplet.slope_ij * center.inverse[j] * to_j[a] + pull * between[a];
      fk[a] = -triplet.slope_ik * center.inverse[k] * to_k[a] - pull * between[a];
      fi[a] = -fj[a] - fk[a];
    }
    ev_tally3(i, center.index[j], center.index[k], triplet.energy, 0.0, fj, fk, to_j, to_k);
    if (!cvflag_atom) continue;
    const int atoms[3] = {i, center.index[j], center.index[k]};
    const double *const forces[3] = {fi, fj, fk};
    double from_centroid[3][3];
    for (int a = 0; a < 3; ++a) {
      const double centroid = (to_j[a] + to_k[a]) / 3.0;
      from_centroid[0][a] = -centroid;
      from_centroid[1][a] = to_j[a] - centroid;
      from_centroid[2][a] = to_k[a] - centroid;
    }
    for (int p = 0; p < 3; ++p)
      for (int c = 0; c < 9; ++c)
        cvatom[atoms[p]][c] += from_centroid[p][tensor_order[c][0]] * forces[p][tensor_order[c][1]];
  }
}

/// Half of each pair that was summed with i alone goes over to the neighbour.
void PairUFP::share_pairs(int i) {
  for (const lpsnmr::ufp::PairRecord &pair : pairs_) {
    if (eflag_atom) {
      eatom[i] -= pair.energy;
      eatom[pair.j] += pair.energy;
    }
    if (!vflag_atom && !cvflag_atom) continue;
    for (int c = 0; c < 9; ++c) {
      const double half =
          -0.5 * pair.pull * pair.vector[tensor_order[c][0]] * pair.vector[tensor_order[c][1]];
      if (vflag_atom && c < 6) {
        vatom[i][c] -= half;
        vatom[pair.j][c] += half;
      }
      if (cvflag_atom) {
        cvatom[i][c] -= half;
        cvatom[pair.j][c] += half;
      }
    }
  }
}

/// Global sums and per-atom shares of one centre.
void PairUFP::tally(int i, const lpsnmr::ufp::Center &center, bool per_atom) {
  const double *const pairs = center.pair_virial, *const triplets = center.triplet_virial;
  if (eflag_global) eng_vdwl += center.pair_energy;
  if (vflag_global)
    for (int c = 0; c < 6; ++c) virial[c] += pairs[c];
  if (!per_atom) {
    if (eflag_global) eng_vdwl += center.triplet_energy;
    if (vflag_global)
      for (int c = 0; c < 6; ++c) virial[c] += triplets[c];
    return;
  }
  if (eflag_atom) eatom[i] += center.pair_energy;
  if (vflag_atom)
    for (int c = 0; c < 6; ++c) vatom[i][c] += pairs[c];
  if (cvflag_atom) {
    for (int c = 0; c < 6; ++c) cvatom[i][c] += pairs[c];
    for (int c = 3; c < 6; ++c) cvatom[i][c + 3] += pairs[c];
  }
  share_pairs(i);
  tally_triplets(i, center); // globally too
}

/// Add the forces on owned and ghost atoms to LAMMPS' own.
void PairUFP::add_forces() {
  double *const *const f = atom->f;
  const int all = atom->nlocal + atom->nghost;
  for (int i = 0; i < all; ++i)
    for (int a = 0; a < 3; ++a) f[i][a] += forces_[4 * std::size_t(i) + std::size_t(a)];
}

void PairUFP::compute(int eflag, int vflag) {
  ev_init(eflag, vflag);
  const bool per_atom = eflag_atom || vflag_atom || cvflag_atom;
  lpsnmr::ufp::Needs needs;
  needs.virial = vflag_either;
  needs.pairs = per_atom ? &pairs_ : nullptr;
  needs.triplets = per_atom ? &triplets_ : nullptr;
  short_range_pairs_ = 0;
  list_candidates(pack_atoms());
  forces_.assign(4 * std::size_t(atom->nlocal + atom->nghost), 0.0);
  for (int ii = 0; ii < list->inum; ++ii) {
    const int i = list->ilist[ii];
    const lpsnmr::ufp::Center &center =
        kernel_->evaluate(atoms_.data(), atoms_[std::size_t(i)], (*candidates_)[std::size_t(ii)],
                          needs, forces_.data());
    if (!center.valid) report_bad_neighbor(i);
    for (std::size_t a = 0; a < 3; ++a) forces_[4 * std::size_t(i) + a] += center.force[a];
    short_range_pairs_ += 0.5 * center.short_range_pairs;
    if (evflag) tally(i, center, per_atom);
  }
  add_forces();
  // in a loop of its own, so that each kernel finds its tables in the cache
  if (density_)
    for (int ii = 0; ii < list->inum; ++ii) add_density(list->ilist[ii], std::size_t(ii));
  pvector[0] = short_range_pairs_;
}

/// Energy of one pair as LAMMPS means it, i.e. of both orders; only for body order 2.
double PairUFP::single(int, int, int itype, int jtype, double rsq, double, double, double &fforce) {
  const double r = std::sqrt(rsq);
  const lpsnmr::ufp::PairSpline &table = potential_->pair(map[itype], map[jtype]);
  if (r >= table.cutoff()) {
    fforce = 0.0;
    return 0.0;
  }
  double slope;
  const double energy = 2.0 * table.evaluate(r, slope);
  fforce = -2.0 * slope / r;
  return energy;
}

double PairUFP::memory_usage() {
  double bytes = Pair::memory_usage();
  if (kernel_) bytes += kernel_->memory_usage() + candidates_->memory_usage();
  if (density_) bytes += density_->memory_usage() + density_candidates_->memory_usage();
  bytes += double(pairs_.capacity()) * sizeof(lpsnmr::ufp::PairRecord);
  bytes += double(triplets_.capacity()) * sizeof(lpsnmr::ufp::TripletRecord);
  bytes += double(forces_.capacity()) * sizeof(double);
  bytes += double(atoms_.capacity()) * sizeof(lpsnmr::ufp::Atom);
  return bytes;
}
