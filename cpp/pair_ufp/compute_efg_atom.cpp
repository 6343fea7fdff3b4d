#include "compute_efg_atom.h"

#include "abort_with_message.h"
#include "shared_text.h"

#include "core/common/elements.h"
#include "core/efg/components.h"
#include "core/efg/efg_file.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "memory.h"
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

} // namespace

ComputeEFGAtom::ComputeEFGAtom(LAMMPS *lmp, int narg, char **arg)
    : Compute(lmp, narg, arg), atoms_(lmp, "Compute efg/atom") {
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
}

ComputeEFGAtom::~ComputeEFGAtom() {
  if (copymode) return;
  memory->destroy(tensors_);
}

/// Give every atom type its species and bridge; return an error message or an empty string.
std::string ComputeEFGAtom::map_types(const std::string &path, const lpsnmr::efg::Basis &basis,
                                      char **elements) {
  const lpsnmr::efg::Settings &settings = basis.settings();
  species_of_type_.assign(atom->ntypes + 1, -1);
  bridge_of_type_.assign(atom->ntypes + 1, -1);
  counts_.assign(atom->ntypes + 1, 0);
  bridges_.assign(atom->ntypes + 1, 0);
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
    counts_[type] = 1;
    bridges_[type] = bridge_of_type_[type] >= 0;
  }
  return "";
}

/// Parse the model and keep what the atom types need; return an error message or an empty string.
std::string ComputeEFGAtom::build_model(const std::string &path, const std::string &text,
                                        char **elements) {
  try {
    const lpsnmr::efg::EfgFile file = lpsnmr::efg::parse_efg_file(text, path);
    const lpsnmr::efg::Basis basis(file.settings);
    const bool chains = file.settings.chain.count > 0;
    reach_ = basis.reach();
    target_cutoff_ = basis.target_cutoff();
    chain_cutoff_ = chains ? file.settings.chain.cutoff : 0.0;
    bridge_cutoff_ = chains ? basis.bridge_cutoff() : 0.0;
    has_field_ = basis.field_channels() > 0;
    field_cutoff_ = file.settings.field_cutoff;
    source_cutoff_ = file.settings.source.cutoff;
    const std::string message = map_types(path, basis, elements);
    if (!message.empty()) return message;

    std::string predicted;
    target_of_type_.assign(atom->ntypes + 1, -1);
    for (const lpsnmr::efg::ModelTarget &part : file.targets) {
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
      target.predictor = std::make_unique<lpsnmr::efg::Predictor>(
          basis, part.weights, part.environment, part.bridge_environments);
      targets_.push_back(std::move(target));
    }
    if (targets_.empty())
      return path + ": no atom type is given an element that the EFG model predicts:" + predicted;
    return "";
  } catch (const std::exception &problem) {
    return problem.what();
  }
}

void ComputeEFGAtom::init() {
  const std::string units = update->unit_style;
  if (units != "metal" && units != "real")
    error->all(FLERR,
               "Compute efg/atom: the model is in Å, so units metal or real are needed, not {}",
               units);
}

/// Make room for what describes bridges and sources, by the numbers of the atoms.
void ComputeEFGAtom::make_room() {
  const std::size_t count = atoms_.size();
  for (Target &target : targets_) {
    target.contracted.resize(count * target.predictor->contracted_size());
    target.flags.assign(count, 0);
    if (has_field_) target.sources.resize(count * target.predictor->field()->source_size());
  }
}

/// Find the neighbours of own atom i.
void ComputeEFGAtom::find_neighbors(int i, double cutoff) {
  n_neighbors_ = atoms_.find(i, cutoff, near_);
  bool bad = false;
  for (std::size_t k = 0; k < n_neighbors_; ++k) bad |= !(near_.distance[k] > same_place);
  if (bad) stop_at_overlap(i);
}

/// Find the neighbours of own atom i, their species, and which of them are bridges in a chain.
void ComputeEFGAtom::gather_neighbors(int i, double cutoff) {
  find_neighbors(i, cutoff);
  if (neighbor_species_.size() < n_neighbors_) {
    neighbor_species_.resize(near_.index.size());
    neighbor_slots_.resize(near_.index.size());
  }
  for (std::size_t k = 0; k < n_neighbors_; ++k) {
    const int type = atoms_.type(near_.index[k]);
    neighbor_species_[k] = species_of_type_[type];
    neighbor_slots_[k] = bridges_[type] && near_.distance[k] < chain_cutoff_ ? near_.index[k] : -1;
  }
}

/// Name the first neighbour of atom i that is on top of it.
void ComputeEFGAtom::stop_at_overlap(int i) {
  std::size_t k = 0;
  while (k + 1 < n_neighbors_ && near_.distance[k] > same_place) ++k;
  abort_with_message(lmp, FLERR,
                     fmt::format("Compute efg/atom: atoms {} and {} are at the same place",
                                 atoms_.tag(i), atoms_.tag(near_.index[k])));
}

/// Whether a target that the gathered atom may be a bridge of is among its neighbours.
bool ComputeEFGAtom::reaches_target() const {
  // by type only: the group of another rank's atom is not known here
  for (std::size_t k = 0; k < n_neighbors_; ++k)
    if (near_.distance[k] < chain_cutoff_ && target_of_type_[atoms_.type(near_.index[k])] >= 0)
      return true;
  return false;
}

/// The gathered neighbours; the slots are those of bridges.
lpsnmr::neighbors::Neighborhood ComputeEFGAtom::neighborhood() const {
  return {n_neighbors_,       near_.vector.data(),      near_.distance.data(),
          near_.index.data(), neighbor_species_.data(), neighbor_slots_.data()};
}

/// The neighbours found; the slots are those of sources.
lpsnmr::neighbors::Neighborhood ComputeEFGAtom::sources_around() const {
  return {n_neighbors_, near_.vector.data(), near_.distance.data(), near_.index.data(),
          nullptr,      near_.index.data()};
}

/// Describe own atom i, whose neighbours are gathered, as the source of a field.
void ComputeEFGAtom::describe_source(int i) {
  const int species = species_of_type_[atom->type[i]];
  for (Target &target : targets_) {
    const lpsnmr::efg::Field &field = *target.predictor->field();
    field.describe_source(species, neighborhood(), target.sources.data() + i * field.source_size());
  }
}

/// Contract the surroundings of own bridge i, whose neighbours are gathered, for all targets.
void ComputeEFGAtom::contract_bridge(int i) {
  const int bridge = bridge_of_type_[atom->type[i]];
  for (Target &target : targets_)
    target.flags[i] = target.predictor->contract_bridge(
        bridge, neighborhood(), target.contracted.data() + i * target.predictor->contracted_size());
}

/// Describe own sources and the bridges that reach a target, each once and in one search.
void ComputeEFGAtom::describe_surroundings() {
  // beyond the cutoffs of their terms neighbours count nothing
  const double around_bridge = std::max(bridge_cutoff_, chain_cutoff_);
  reaching_.clear();
  for (int i = 0; i < atom->nlocal; ++i) {
    const int type = atom->type[i], species = species_of_type_[type];
    if (species < 0) continue;
    const bool has_density =
        has_field_ && targets_.front().predictor->field()->has_density(species);
    n_neighbors_ = 0;
    if (has_density || bridges_[type])
      gather_neighbors(
          i, std::max(has_density ? source_cutoff_ : 0.0, bridges_[type] ? around_bridge : 0.0));
    if (has_field_) describe_source(i);
    if (!bridges_[type] || !reaches_target()) continue;
    contract_bridge(i);
    reaching_.push_back(i);
  }
}

/// Add to the own bridges what the field of all sources there contributes.
void ComputeEFGAtom::add_fields() {
  for (Target &target : targets_)
    atoms_.share(target.sources.data(), target.predictor->field()->source_size() * sizeof(double),
                 counts_);
  for (const int i : reaching_) {
    find_neighbors(i, field_cutoff_);
    for (Target &target : targets_)
      target.predictor->add_field(
          bridge_of_type_[atom->type[i]], sources_around(), target.sources.data(),
          target.contracted.data() + i * target.predictor->contracted_size());
  }
}

/// Let other ranks have the own bridges.
void ComputeEFGAtom::share_bridges() {
  for (Target &target : targets_) {
    atoms_.share(target.contracted.data(), target.predictor->contracted_size() * sizeof(double),
                 bridges_);
    atoms_.share(target.flags.data(), 1, bridges_);
  }
}

void ComputeEFGAtom::predict_targets() {
  for (int i = 0; i < atom->nlocal; ++i) {
    const int kind = target_of_type_[atom->type[i]];
    if (kind < 0 || !(atom->mask[i] & groupbit)) continue;
    gather_neighbors(i, target_cutoff_);
    const Target &target = targets_[kind];
    double components[5];
    const unsigned char flag = target.predictor->predict_target(
        neighborhood(), target.contracted.data(), target.flags.data(), components);
    lpsnmr::efg::cartesian_of(components, tensors_[i]);
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
    atoms_.gather(reach_, counts_);
    make_room();
    if (chain_cutoff_ > 0.0) {
      describe_surroundings();
      if (has_field_) add_fields();
      share_bridges();
    }
    predict_targets();
  } catch (const std::bad_alloc &) {
    abort_with_message(lmp, FLERR, "Compute efg/atom: out of memory");
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
  double bytes = 6.0 * nmax_ * sizeof(double) + atoms_.memory_usage();
  for (const Target &target : targets_)
    bytes += double(target.contracted.capacity() + target.sources.capacity()) * sizeof(double) +
             double(target.flags.capacity());
  return bytes;
}
