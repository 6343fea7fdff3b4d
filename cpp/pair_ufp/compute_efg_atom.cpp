#include "compute_efg_atom.h"

#include "neighbor_reach.h"
#include "shared_text.h"
#include "stop_here.h"

#include "core/efg_model_file.h"
#include "core/elements.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "memory.h"
#include "neigh_list.h"
#include "neighbor.h"
#include "pair.h"
#include "update.h"
#include "utils.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

using namespace LAMMPS_NS;

namespace {

constexpr int n_fixed = 4;          // ID, group, style and model come before the elements
constexpr double same_place = 1e-3; // Å, as in the core

/// Cartesian components xx yy zz xy xz yz of the five orthonormal ones (m = −2 … 2).
void to_cartesian(const double *c, double *v) {
  const double zz = c[2] / std::sqrt(1.5), difference = c[4] * std::sqrt(2.0);
  v[0] = 0.5 * (difference - zz);
  v[1] = 0.5 * (-difference - zz);
  v[2] = zz;
  v[3] = c[0] / std::sqrt(2.0);
  v[4] = c[3] / std::sqrt(2.0);
  v[5] = c[1] / std::sqrt(2.0);
}

} // namespace

ComputeEFGAtom::ComputeEFGAtom(LAMMPS *lmp, int narg, char **arg) : Compute(lmp, narg, arg) {
  if (narg != n_fixed + atom->ntypes)
    error->all(FLERR,
               "Compute efg/atom: expected compute ID group efg/atom MODEL and one element name "
               "(or NULL) for each of the {} atom types, got {} name(s)",
               atom->ntypes, std::max(narg - n_fixed, 0));
  peratom_flag = 1;
  size_peratom_cols = 6;
  scalar_flag = 1;
  extscalar = 1;

  std::string text;
  std::string message = read_text_everywhere(lmp, arg[3], "EFG model", text);
  if (message.empty()) message = build_model(arg[3], text, arg + n_fixed);
  if (failed_anywhere(lmp, !message.empty()))
    error->all(FLERR, "Compute efg/atom: {}",
               message.empty() ? "the model could not be set up on another rank"
                               : printable(message));
  comm_forward = std::max(row_size_, source_size_);
}

ComputeEFGAtom::~ComputeEFGAtom() {
  if (copymode) return;
  memory->destroy(tensors_);
}

/// Give every atom type its species and bridge; return an error message or an empty string.
std::string ComputeEFGAtom::map_types(const std::string &path, const lpsnmr::EfgBasis &basis,
                                      char **elements) {
  const lpsnmr::EfgSettings &settings = basis.settings();
  species_of_type_.assign(atom->ntypes + 1, -1);
  bridge_of_type_.assign(atom->ntypes + 1, -1);
  for (int type = 1; type <= atom->ntypes; ++type) {
    const std::string name = elements[type - 1];
    if (name == "NULL") continue;
    const int z = lpsnmr::atomic_number(name);
    const int species = z > 0 ? basis.species_of(z) : -1;
    if (species < 0) {
      std::string known;
      for (const int k : settings.species) known += std::string(" ") + lpsnmr::chemical_symbol(k);
      return path + ": no element '" + name + "' in the EFG model; it has:" + known;
    }
    species_of_type_[type] = species;
    bridge_of_type_[type] = settings.chain.count > 0 ? basis.bridge_of(species) : -1;
  }
  return "";
}

/// Parse the model and keep what the atom types need; return an error message or an empty string.
std::string ComputeEFGAtom::build_model(const std::string &path, const std::string &text,
                                        char **elements) {
  try {
    const lpsnmr::EfgModelFile file = lpsnmr::parse_efg_model(text, path);
    const lpsnmr::EfgBasis basis(file.settings);
    const bool chains = file.settings.chain.count > 0;
    target_cutoff_ = basis.target_cutoff();
    chain_cutoff_ = chains ? file.settings.chain.cutoff : 0.0;
    bridge_cutoff_ = chains ? basis.bridge_cutoff() : 0.0;
    const bool field = basis.field_channels() > 0;
    field_cutoff_ = field ? file.settings.field_cutoff : 0.0;
    source_cutoff_ = field && !file.settings.sources.empty() ? file.settings.source.cutoff : 0.0;
    const std::string message = map_types(path, basis, elements);
    if (!message.empty()) return message;

    std::string predicted;
    target_of_type_.assign(atom->ntypes + 1, -1);
    for (const lpsnmr::EfgModelTarget &part : file.targets) {
      const char *const symbol = lpsnmr::chemical_symbol(part.atomic_number);
      predicted += std::string(" ") + symbol;
      bool occurs = false;
      for (int type = 1; type <= atom->ntypes; ++type)
        if (strcmp(elements[type - 1], symbol) == 0) {
          target_of_type_[type] = static_cast<int>(targets_.size());
          occurs = true;
        }
      if (!occurs) continue;
      Target target;
      target.predictor = std::make_unique<lpsnmr::EfgPredictor>(
          basis, part.weights, part.environment, part.bridge_environments);
      if (chains) row_size_ += static_cast<int>(target.predictor->contracted_size()) + 1;
      if (field) source_size_ += static_cast<int>(target.predictor->field()->source_size());
      targets_.push_back(std::move(target));
    }
    if (targets_.empty())
      return path + ": no atom type is given an element that the EFG model predicts:" + predicted;
    return "";
  } catch (const std::exception &problem) {
    return problem.what();
  }
}

/// Whether the pair style's own cutoffs make LAMMPS list every neighbour the model needs.
bool ComputeEFGAtom::pair_list_suffices() const {
  if (!force->pair || !force->pair->cutsq) return false;
  for (int i = 1; i <= atom->ntypes; ++i) {
    double needed = 0.0;
    if (target_of_type_[i] >= 0) needed = target_cutoff_;
    if (bridge_of_type_[i] >= 0) needed = std::max({needed, bridge_cutoff_, field_cutoff_});
    if (species_of_type_[i] >= 0) needed = std::max(needed, source_cutoff_);
    for (int j = 1; j <= atom->ntypes; ++j)
      if (species_of_type_[j] >= 0 && force->pair->cutsq[i][j] < needed * needed * (1.0 - 1e-12))
        return false;
  }
  return true;
}

void ComputeEFGAtom::init() {
  check_visible_neighbors(lmp, "Compute efg/atom");
  request_full_list(lmp, this, "Compute efg/atom",
                    pair_list_suffices() ? 0.0
                                         : std::max({target_cutoff_, bridge_cutoff_, field_cutoff_,
                                                     source_cutoff_}));
}

void ComputeEFGAtom::init_list(int, NeighList *list) {
  list_ = list;
}

/// Number the bridges among own and ghost atoms and make room for what describes them.
void ComputeEFGAtom::assign_slots() {
  const int count = atom->nlocal + atom->nghost;
  int slots = 0;
  slot_of_.resize(count);
  for (int i = 0; i < count; ++i) slot_of_[i] = bridge_of_type_[atom->type[i]] >= 0 ? slots++ : -1;
  for (Target &target : targets_) {
    target.contracted.assign(slots * target.predictor->contracted_size(), 0.0);
    target.flags.assign(slots, 0);
    if (source_size_ > 0)
      target.sources.assign(std::size_t(count) * target.predictor->field()->source_size(), 0.0);
  }
}

/// Whether a target is near enough for own atom i to be a bridge of it.
bool ComputeEFGAtom::reaches_target(int i) const {
  const double *const *const x = atom->x;
  const int *const neighbors = list_->firstneigh[i];
  for (int n = 0; n < list_->numneigh[i]; ++n) {
    const int j = neighbors[n] & NEIGHMASK;
    // by type only: a ghost's group may be out of date when the group is dynamic
    if (target_of_type_[atom->type[j]] < 0) continue;
    const double dx = x[j][0] - x[i][0], dy = x[j][1] - x[i][1], dz = x[j][2] - x[i][2];
    if (dx * dx + dy * dy + dz * dz < chain_cutoff_ * chain_cutoff_) return true;
  }
  return false;
}

/// Collect the neighbours of own atom i, with the slots of bridges or, for sources, their atom
/// numbers.
void ComputeEFGAtom::gather_neighbors(int i, double cutoff, Slots slots) {
  const double *const *const x = atom->x;
  const int *const type = atom->type;
  const double xi = x[i][0], yi = x[i][1], zi = x[i][2], limit = cutoff * cutoff;
  const int *const neighbors = list_->firstneigh[i];
  const int count = list_->numneigh[i];
  if (distances_.size() < static_cast<std::size_t>(count)) {
    vectors_.resize(3 * static_cast<std::size_t>(count));
    distances_.resize(count);
    neighbor_species_.resize(count);
    neighbor_slots_.resize(count);
  }
  std::size_t found = 0;
  for (int n = 0; n < count; ++n) {
    const int j = neighbors[n] & NEIGHMASK;
    const double dx = x[j][0] - xi, dy = x[j][1] - yi, dz = x[j][2] - zi;
    const double r2 = dx * dx + dy * dy + dz * dz;
    const int species = species_of_type_[type[j]];
    if (r2 >= limit || species < 0) continue;
    if (!(r2 > same_place * same_place))
      stop_here(lmp, FLERR,
                fmt::format("Compute efg/atom: atoms {} and {} are at the same place, or a "
                            "position is not a number",
                            atom->tag[i], atom->tag[j]));
    const double r = std::sqrt(r2);
    vectors_[3 * found] = dx, vectors_[3 * found + 1] = dy, vectors_[3 * found + 2] = dz;
    distances_[found] = r;
    neighbor_species_[found] = species;
    neighbor_slots_[found++] = slots == Slots::atoms ? j : r < chain_cutoff_ ? slot_of_[j] : -1;
  }
  n_near_ = found;
}

lpsnmr::Neighborhood ComputeEFGAtom::neighborhood() const {
  return {n_near_, vectors_.data(), distances_.data(), neighbor_species_.data(),
          neighbor_slots_.data()};
}

/// Give every own atom its charge and dipole; its ghosts get them from here.
void ComputeEFGAtom::describe_sources() {
  for (int ii = 0; ii < list_->inum; ++ii) {
    const int i = list_->ilist[ii];
    const int species = species_of_type_[atom->type[i]];
    if (species < 0) continue;
    if (targets_.front().predictor->field()->has_density(species))
      gather_neighbors(i, source_cutoff_);
    for (Target &target : targets_) {
      const lpsnmr::EfgField &field = *target.predictor->field();
      field.describe_source(species, neighborhood(),
                            target.sources.data() + i * field.source_size());
    }
  }
}

/// Describe one own bridge to all targets.
void ComputeEFGAtom::contract_bridge(int i) {
  const int bridge = bridge_of_type_[atom->type[i]];
  const auto result = [&](Target &target) {
    return target.contracted.data() + slot_of_[i] * target.predictor->contracted_size();
  };
  gather_neighbors(i, bridge_cutoff_);
  for (Target &target : targets_)
    target.flags[slot_of_[i]] =
        target.predictor->contract_bridge(bridge, neighborhood(), result(target));
  if (source_size_ == 0) return;
  gather_neighbors(i, field_cutoff_, Slots::atoms);
  for (Target &target : targets_)
    target.predictor->add_field(bridge, neighborhood(), target.sources.data(), result(target));
}

/// Describe the own bridges that reach a target, each once; their ghosts get it from here.
void ComputeEFGAtom::contract_bridges() {
  for (int ii = 0; ii < list_->inum; ++ii) {
    const int i = list_->ilist[ii];
    if (slot_of_[i] >= 0 && reaches_target(i)) contract_bridge(i);
  }
}

int ComputeEFGAtom::pack_forward_comm(int n, int *list, double *buffer, int, int *) {
  double *out = buffer;
  for (int k = 0; k < n; ++k) {
    const int i = list[k], slot = slot_of_[i];
    for (const Target &target : targets_) {
      if (carried_ == Carried::sources) {
        const std::size_t size = target.predictor->field()->source_size();
        out = std::copy_n(target.sources.data() + i * size, size, out);
      } else if (slot >= 0) { // for others the receiver knows by the atom type
        const std::size_t size = target.predictor->contracted_size();
        out = std::copy_n(target.contracted.data() + slot * size, size, out);
        *out++ = target.flags[slot];
      }
    }
  }
  return static_cast<int>(out - buffer);
}

void ComputeEFGAtom::unpack_forward_comm(int n, int first, double *buffer) {
  const double *from = buffer;
  for (int i = first; i < first + n; ++i) {
    const int slot = slot_of_[i];
    for (Target &target : targets_) {
      if (carried_ == Carried::sources) {
        const std::size_t size = target.predictor->field()->source_size();
        std::copy_n(from, size, target.sources.data() + i * size);
        from += size;
      } else if (slot >= 0) {
        const std::size_t size = target.predictor->contracted_size();
        std::copy_n(from, size, target.contracted.data() + slot * size);
        target.flags[slot] = static_cast<unsigned char>(from[size]);
        from += size + 1;
      }
    }
  }
}

/// Send what own atoms are described by to their ghosts.
void ComputeEFGAtom::send_to_ghosts(Carried carried) {
  carried_ = carried;
  comm->forward_comm(this);
}

void ComputeEFGAtom::predict_targets() {
  for (int ii = 0; ii < list_->inum; ++ii) {
    const int i = list_->ilist[ii];
    const int kind = target_of_type_[atom->type[i]];
    if (kind < 0 || !(atom->mask[i] & groupbit)) continue;
    gather_neighbors(i, target_cutoff_);
    const Target &target = targets_[kind];
    double components[5];
    const unsigned char flag = target.predictor->predict_target(
        neighborhood(), target.contracted.data(), target.flags.data(), components);
    to_cartesian(components, tensors_[i]);
    flagged_ += flag != 0;
  }
}

void ComputeEFGAtom::compute_peratom() {
  invoked_peratom = update->ntimestep;
  if (atom->nmax > nmax_) {
    memory->destroy(tensors_);
    nmax_ = atom->nmax;
    memory->create(tensors_, nmax_, 6, "efg/atom:tensors");
    array_atom = tensors_;
  }
  if (atom->nlocal > 0) std::fill_n(tensors_[0], 6 * static_cast<std::size_t>(atom->nlocal), 0.0);
  flagged_ = 0.0;
  try {
    assign_slots();
    if (source_size_ > 0) {
      describe_sources();
      send_to_ghosts(Carried::sources);
    }
    contract_bridges();
    if (row_size_ > 0) send_to_ghosts(Carried::bridges);
    predict_targets();
  } catch (const std::bad_alloc &) {
    stop_here(lmp, FLERR, "Compute efg/atom: out of memory");
  }
}

/// Number of tensors of the latest evaluation that are outside the range of the training data.
double ComputeEFGAtom::compute_scalar() {
  invoked_scalar = update->ntimestep;
  if (invoked_peratom != update->ntimestep) compute_peratom();
  MPI_Allreduce(&flagged_, &scalar, 1, MPI_DOUBLE, MPI_SUM, world);
  return scalar;
}

double ComputeEFGAtom::memory_usage() {
  double bytes = 6.0 * nmax_ * sizeof(double) + double(slot_of_.capacity()) * sizeof(int);
  for (const Target &target : targets_)
    bytes += double(target.contracted.capacity() + target.sources.capacity()) * sizeof(double) +
             double(target.flags.capacity());
  return bytes;
}
