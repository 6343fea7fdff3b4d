#include "core/efg/neighborhoods.h"

#include "core/common/error.h"

#include <string>

namespace lpsnmr::efg {

neighbors::Neighborhood Neighborhoods::of_target(std::size_t t) const {
  return targets.around(t, target_species.data(), target_slot.data());
}

neighbors::Neighborhood Neighborhoods::of_bridge(std::size_t b) const {
  return bridges.around(b, bridge_species.data(), nullptr);
}

neighbors::Neighborhood Neighborhoods::of_field(std::size_t b) const {
  return fields.around(b, nullptr, field_slot.data());
}

neighbors::Neighborhood Neighborhoods::of_source(std::size_t s) const {
  const int list = source_list[s];
  return list < 0 ? of_bridge(-1 - list)
                  : sources.around(std::size_t(list), source_species.data(), nullptr);
}

namespace {

/// Number an atom's slot the first time it is met.
int slot_for(int atom, std::vector<int> &slot_of, std::vector<int> &atoms) {
  if (slot_of[atom] < 0) {
    slot_of[atom] = static_cast<int>(atoms.size());
    atoms.push_back(atom);
  }
  return slot_of[atom];
}

/// Species of the entries of a list; refuses atoms in one place.
void find_species(const neighbors::NeighborList &list, const std::vector<int> &species,
                  std::vector<int> &found) {
  found.resize(list.index.size());
  for (std::size_t e = 0; e < found.size(); ++e) {
    if (!(list.distance[e] > 1e-3))
      throw Error("atom " + std::to_string(list.index[e]) + " and a neighbour are in one place (" +
                  std::to_string(list.distance[e]) + " Å apart)");
    found[e] = species[list.index[e]];
  }
}

/// Find what makes the field at the bridges, and the surroundings of those whose charge depends on
/// them.
void find_sources(const Basis &basis, const std::vector<int> &species, Neighborhoods &found) {
  found.field_slot.clear();
  found.source_atoms.clear();
  if (basis.field_channels() == 0) return;
  found.search.list(basis.settings().field_cutoff, &found.bridge_atoms, found.fields);
  std::vector<int> slot_of(species.size(), -1);
  found.field_slot.reserve(found.fields.index.size());
  for (const int j : found.fields.index)
    found.field_slot.push_back(slot_for(j, slot_of, found.source_atoms));
  if (basis.settings().sources.empty()) return;

  std::vector<int> others,
      bridge_list(species.size(), 0); // 1 + list in `bridges`, 0: none that serves
  if (basis.settings().source.cutoff <= basis.bridge_cutoff())
    for (std::size_t b = 0; b < found.bridge_atoms.size(); ++b)
      bridge_list[found.bridge_atoms[b]] = static_cast<int>(b) + 1;
  found.source_list.assign(found.source_atoms.size(), 0);
  for (std::size_t s = 0; s < found.source_atoms.size(); ++s) {
    const int j = found.source_atoms[s];
    if (basis.source_of(species[j]) < 0) continue;
    found.source_list[s] = bridge_list[j] ? -bridge_list[j] : static_cast<int>(others.size());
    if (!bridge_list[j]) others.push_back(j);
  }
  found.search.list(basis.settings().source.cutoff, &others, found.sources);
  find_species(found.sources, species, found.source_species);
}

} // namespace

Neighborhoods find_neighborhoods(const Basis &basis, const neighbors::System &system,
                                 const int *numbers, const std::vector<int> &targets) {
  Neighborhoods found;
  find_neighborhoods(basis, system, numbers, targets, found);
  return found;
}

void find_neighborhoods(const Basis &basis, const neighbors::System &system, const int *numbers,
                        const std::vector<int> &targets, Neighborhoods &found) {
  std::vector<int> species(system.size);
  for (std::size_t i = 0; i < system.size; ++i) {
    species[i] = basis.species_of(numbers[i]);
    if (species[i] < 0)
      throw Error("atom " + std::to_string(i) + " has atomic number " + std::to_string(numbers[i]) +
                  ", which the EFG model was not trained on");
  }
  found.search.prepare(system, basis.reach());
  found.search.list(basis.target_cutoff(), &targets, found.targets);
  find_species(found.targets, species, found.target_species);
  const std::size_t entries = found.targets.index.size();
  found.target_slot.assign(entries, -1);
  found.bridge_atoms.clear();
  if (basis.settings().chain.count == 0) return;
  const double reach = basis.settings().chain.cutoff;
  std::vector<int> slot_of(system.size, -1);
  for (std::size_t e = 0; e < entries; ++e) {
    const int j = found.targets.index[e];
    if (basis.bridge_of(species[j]) < 0 || found.targets.distance[e] >= reach) continue;
    found.target_slot[e] = slot_for(j, slot_of, found.bridge_atoms);
  }
  found.search.list(basis.bridge_cutoff(), &found.bridge_atoms, found.bridges);
  find_species(found.bridges, species, found.bridge_species);
  find_sources(basis, species, found);
}

} // namespace lpsnmr::efg
