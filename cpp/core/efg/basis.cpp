#include "core/efg/basis.h"

#include "core/common/error.h"

#include <cmath>
#include <string>

namespace lpsnmr::efg {
namespace {

constexpr int efg_degree = 2;

void check_radial(const Radial &radial, const char *name, bool optional) {
  if (radial.count == 0 && optional) return;
  if (radial.count < 1 || radial.count > max_radial_count)
    throw Error(std::string("number of radial functions of the ") + name + " term must be 1 to " +
                std::to_string(max_radial_count) + ", got " + std::to_string(radial.count));
  if (!(radial.cutoff > 0.5) || !(radial.cutoff < 50.0))
    throw Error(std::string("cutoff of the ") + name + " term must be 0.5 to 50 Å, got " +
                std::to_string(radial.cutoff));
}

/// Pairs (l1, l2) up to the given degrees that couple to l; with `ordered` only l1 ≤ l2.
std::vector<DegreePair> pairs_to(int l, int l1_max, int l2_max, bool ordered) {
  std::vector<DegreePair> pairs;
  for (int l2 = 0; l2 <= l2_max; ++l2)
    for (int l1 = std::abs(l - l2); l1 <= std::min(l + l2, l1_max); ++l1)
      if ((l1 + l2 + l) % 2 == 0 && (!ordered || l1 <= l2))
        pairs.push_back({l1, l2, l, real_coupling(l1, l2, l)});
  return pairs;
}

/// Number of products of channels of two degrees.
std::size_t product_count(const DegreePair &pair, std::size_t channels) {
  return pair.l1 == pair.l2 ? channels * (channels + 1) / 2 : channels * channels;
}

} // namespace

Basis::Basis(Settings settings) : settings_(std::move(settings)) {
  const Settings &s = settings_;
  if (s.species.empty()) throw Error("an EFG model needs at least one species");
  for (std::size_t k = 0; k < s.species.size(); ++k)
    if (s.species[k] < 1 || (k > 0 && s.species[k] <= s.species[k - 1]))
      throw Error("species of an EFG model must be ascending atomic numbers without repetition");
  check_radial(s.pair, "pair", false);
  check_radial(s.chain, "chain", true);
  check_radial(s.triple, "triple", true);
  bridge_of_.assign(s.species.size(), -1);
  source_of_.assign(s.species.size(), -1);
  if (s.chain.count > 0) check_chain();
  if (s.triple.count > 0) {
    if (s.triple_l_max < 1 || s.triple_l_max > max_harmonic_degree)
      throw Error("triple_l_max must be 1 to " + std::to_string(max_harmonic_degree) + ", got " +
                  std::to_string(s.triple_l_max));
    triple_pairs_ = pairs_to(efg_degree, s.triple_l_max, s.triple_l_max, true);
  }
  count_features();
}

void Basis::check_chain() {
  const Settings &s = settings_;
  check_radial(s.bridge, "bridge", false);
  check_radial(s.product, "product", true);
  if (s.bridge_l_max < 0 || s.bridge_l_max + efg_degree > max_harmonic_degree)
    throw Error("bridge_l_max must be 0 to " + std::to_string(max_harmonic_degree - efg_degree) +
                ", got " + std::to_string(s.bridge_l_max));
  if (s.product.count > 0 && (s.product_l_max < 0 || s.product_l_max > max_harmonic_degree))
    throw Error("product_l_max must be 0 to " + std::to_string(max_harmonic_degree) + ", got " +
                std::to_string(s.product_l_max));
  if (s.product.count > 0 && (s.product_degree_max < 0 || s.product_degree_max > s.bridge_l_max))
    throw Error("product_degree_max must be 0 to bridge_l_max (" + std::to_string(s.bridge_l_max) +
                "), got " + std::to_string(s.product_degree_max));
  if (s.bridges.empty()) throw Error("a chain needs at least one bridge species");
  for (std::size_t b = 0; b < s.bridges.size(); ++b) {
    const int k = species_of(s.bridges[b]);
    if (k < 0) throw Error("bridge species must be among the species of the model");
    if (bridge_of_[k] >= 0) throw Error("a bridge species is given twice");
    bridge_of_[k] = static_cast<int>(b);
  }
  if (s.field_cutoff != 0.0) check_field();
}

void Basis::check_field() {
  const Settings &s = settings_;
  if (!(s.field_cutoff > 0.5) || !(s.field_cutoff < 50.0))
    throw Error("field_cutoff must be 0 (off) or 0.5 to 50 Å, got " +
                std::to_string(s.field_cutoff));
  if (s.bridge_l_max < 1) throw Error("a field at the bridges needs a bridge_l_max of at least 1");
  if (!s.sources.empty()) check_radial(s.source, "source", false);
  for (std::size_t k = 0; k < s.sources.size(); ++k) {
    const int species = species_of(s.sources[k]);
    if (species < 0) throw Error("source species must be among the species of the model");
    if (source_of_[species] >= 0) throw Error("a source species is given twice");
    source_of_[species] = static_cast<int>(k);
  }
  field_channels_ = s.species.size() * (1 + 2 * s.sources.size() * s.source.count);
}

void Basis::count_features() {
  const Settings &s = settings_;
  const std::size_t n_species = s.species.size();
  chain_begin_ = n_species * s.pair.count;
  if (s.chain.count > 0) {
    chain_pairs_ = pairs_to(efg_degree, max_harmonic_degree, s.bridge_l_max, false);
    for (int l = 0; l <= s.bridge_l_max; ++l) {
      std::size_t channels = n_species * s.bridge.count;
      if (s.product.count > 0 && l <= s.product_degree_max)
        for (DegreePair &pair : pairs_to(l, s.product_l_max, s.product_l_max, true)) {
          channels += product_count(pair, n_species * s.product.count);
          product_pairs_.push_back(std::move(pair));
        }
      if (l == 1) channels += field_channels_;
      bridge_channels_.push_back(channels);
      bridge_offset_.push_back(bridge_offset_.back() + channels * (2 * l + 1));
    }
    for (const DegreePair &pair : chain_pairs_)
      bridge_block_ += s.chain.count * bridge_channels_[pair.l2];
  }
  triple_begin_ = chain_begin_ + s.bridges.size() * bridge_block_;
  size_ = triple_begin_;
  for (const DegreePair &pair : triple_pairs_)
    size_ += product_count(pair, n_species * s.triple.count);
}

int Basis::species_of(int atomic_number) const {
  for (std::size_t k = 0; k < settings_.species.size(); ++k)
    if (settings_.species[k] == atomic_number) return static_cast<int>(k);
  return -1;
}

double Basis::target_cutoff() const {
  double cutoff = settings_.pair.cutoff;
  if (settings_.chain.count > 0) cutoff = std::max(cutoff, settings_.chain.cutoff);
  if (settings_.triple.count > 0) cutoff = std::max(cutoff, settings_.triple.cutoff);
  return cutoff;
}

double Basis::bridge_cutoff() const {
  return std::max(settings_.bridge.cutoff,
                  settings_.product.count > 0 ? settings_.product.cutoff : 0.0);
}

double Basis::reach() const {
  const double around_target = target_cutoff();
  if (settings_.chain.count == 0) return around_target;
  return std::max({around_target, bridge_cutoff(), settings_.field_cutoff,
                   settings_.sources.empty() ? 0.0 : settings_.source.cutoff});
}

int Basis::target_l_max() const {
  int l_max = efg_degree;
  for (const DegreePair &pair : chain_pairs_) l_max = std::max(l_max, pair.l1);
  if (settings_.triple.count > 0) l_max = std::max(l_max, settings_.triple_l_max);
  return l_max;
}

} // namespace lpsnmr::efg
