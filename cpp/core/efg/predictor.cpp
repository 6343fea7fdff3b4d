#include "core/efg/predictor.h"

#include "core/common/error.h"
#include "core/common/parallel_for.h"
#include "core/efg/expansion.h"

#include <algorithm>
#include <cmath>
#include <string>

#define LPSNMR_LOOPS "core/efg/predictor_loops.h"
#define LPSNMR_LOOPS_NAMESPACE efg
#include "core/simd/versions.h"

namespace lpsnmr::efg {
namespace {

constexpr int lanes = pair_lanes;

void check_range(const EnvironmentRange &range, std::size_t n_species) {
  for (const std::vector<double> *values : {&range.nearest, &range.fewest, &range.most}) {
    if (!values->empty() && values->size() != n_species)
      throw Error("a training range must have one number per species (" +
                  std::to_string(n_species) + "), got " + std::to_string(values->size()));
  }
}

/// Return the chain part of the weights when there are as many as features, all finite.
const double *check_weights(const std::vector<double> &weights, const Basis &basis) {
  if (weights.size() != basis.size())
    throw Error("the EFG model needs " + std::to_string(basis.size()) + " weights, got " +
                std::to_string(weights.size()));
  for (const double w : weights)
    if (!std::isfinite(w)) throw Error("a weight of the EFG model is not a finite number");
  return weights.data() + basis.chain_begin();
}

bool outside(const EnvironmentRange &range, std::size_t species, double coordination) {
  return !range.most.empty() &&
         (coordination < range.fewest[species] || coordination > range.most[species]);
}

} // namespace

void summarize_environment(const neighbors::Neighborhood &neighbors, int n_species, double cutoff,
                           double *nearest, double *coordination) {
  std::fill_n(nearest, n_species, std::numeric_limits<double>::infinity());
  std::fill_n(coordination, n_species, 0.0);
  for (std::size_t k = 0; k < neighbors.size; ++k) {
    const int s = neighbors.species[k];
    double envelope;
    radial_functions<1>(1, cutoff, neighbors.distance + k, &envelope);
    nearest[s] = std::min(nearest[s], neighbors.distance[k]);
    coordination[s] += envelope;
  }
}

Predictor::Predictor(Basis basis, const std::vector<double> &weights, EnvironmentRange target,
                     std::vector<EnvironmentRange> bridges, simd::Instructions instructions)
    : instructions_(instructions), pairs_(LPSNMR_VERSION(add_pairs, instructions)),
      triples_(LPSNMR_VERSION(add_triples, instructions)), basis_(std::move(basis)),
      bridge_(basis_, check_weights(weights, basis_), instructions),
      chain_(basis_, bridge_.row(), instructions), target_range_(std::move(target)),
      bridge_ranges_(std::move(bridges)) {
  const Settings &s = basis_.settings();
  if (basis_.field_channels() > 0) {
    const std::vector<double> &rows = bridge_.field_weights();
    field_.emplace(basis_, static_cast<int>(rows.size() / basis_.field_channels()), rows.data(),
                   instructions);
  }
  bridge_ranges_.resize(s.chain.count > 0 ? s.bridges.size() : 0);
  check_range(target_range_, s.species.size());
  for (const EnvironmentRange &range : bridge_ranges_) check_range(range, s.species.size());

  pair_weights_.assign(weights.begin(), weights.begin() + basis_.chain_begin());
  const double *w = weights.data() + basis_.chain_begin();
  w += basis_.triple_begin() - basis_.chain_begin();
  const std::size_t channels = s.species.size() * s.triple.count;
  for (const DegreePair &pair : basis_.triple_pairs()) {
    std::vector<double> square(channels * channels, 0.0);
    for (std::size_t q = 0; q < channels; ++q)
      for (std::size_t p = pair.l1 == pair.l2 ? q : 0; p < channels; ++p)
        square[p * channels + q] = *w++;
    triple_weights_.insert(triple_weights_.end(), square.begin(), square.end());
  }
}

unsigned char Predictor::contract_bridge(int bridge, const neighbors::Neighborhood &neighbors,
                                         double *contracted) const {
  const int n_species = basis_.species_count();
  thread_local std::vector<double> coordination;
  coordination.resize(n_species);
  bridge_.contract(bridge, neighbors, contracted, coordination.data());
  const EnvironmentRange &range = bridge_ranges_[bridge];
  unsigned char flag = 0;
  for (std::size_t k = 0; k < neighbors.size && !range.nearest.empty(); ++k)
    if (neighbors.distance[k] < range.nearest[neighbors.species[k]]) flag = bridge_too_near;
  for (int q = 0; q < n_species; ++q)
    if (outside(range, q, coordination[q])) flag |= bridge_coordination;
  return flag;
}

void Predictor::add_field(int bridge, const neighbors::Neighborhood &neighbors,
                          const double *sources, double *contracted) const {
  const std::vector<std::size_t> &outputs = bridge_.field_outputs();
  const int count = static_cast<int>(outputs.size());
  thread_local std::vector<double> field;
  field.resize(3 * outputs.size());
  field_->sum(neighbors, sources, bridge * padded_length(count), count, field.data());
  for (std::size_t o = 0; o < outputs.size(); ++o)
    for (int m = 0; m < 3; ++m) contracted[outputs[o] + m] += field[3 * o + m];
}

/// Add the body-order-3 term of a target.
void Predictor::add_triples(const neighbors::Neighborhood &neighbors, double *components) const {
  const Settings &s = basis_.settings();
  const int width = harmonic_count(s.triple_l_max);
  const std::size_t channels = s.species.size() * s.triple.count;
  const std::size_t stride = density_stride(basis_.species_count(), s.triple.count);
  thread_local std::vector<double> room;
  room.resize((stride + channels) * width + channels * (2 * s.triple_l_max + 1));
  double *const rows = room.data(), *const by_harmonic = rows + stride * width,
                *const weighted = by_harmonic + channels * width;
  expand_rows(neighbors, basis_.species_count(), s.triple, s.triple_l_max, rows, instructions_);
  const int padded = padded_length(s.triple.count);
  for (int lm = 0; lm < width; ++lm)
    for (std::size_t q = 0; q < channels; ++q)
      by_harmonic[lm * channels + q] =
          rows[lm * stride + q / s.triple.count * padded + q % s.triple.count];
  triples_(basis_.triple_pairs(), triple_weights_.data(), channels, by_harmonic, weighted,
           components);
}

unsigned char Predictor::predict_target(const neighbors::Neighborhood &neighbors,
                                        const double *contracted, const unsigned char *bridge_flags,
                                        double *components) const {
  alignas(32) double sums[5 * lanes] = {};
  const int n_species = basis_.species_count();
  thread_local std::vector<double> coordination;
  coordination.assign(n_species, 0.0);
  pairs_(neighbors, basis_.settings().pair, pair_weights_.data(), sums, coordination.data());
  for (int m = 0; m < 5; ++m)
    components[m] =
        (sums[m * lanes] + sums[m * lanes + 1]) + (sums[m * lanes + 2] + sums[m * lanes + 3]);
  if (basis_.settings().chain.count > 0) chain_.add(neighbors, contracted, components);
  if (basis_.settings().triple.count > 0) add_triples(neighbors, components);

  unsigned char flag = 0;
  for (std::size_t k = 0; k < neighbors.size; ++k)
    if (neighbors.slot[k] >= 0) flag |= bridge_flags[neighbors.slot[k]];
  if (target_range_.nearest.empty()) return flag;
  for (std::size_t k = 0; k < neighbors.size; ++k)
    if (neighbors.distance[k] < target_range_.nearest[neighbors.species[k]])
      flag |= target_too_near;
  for (int q = 0; q < n_species; ++q)
    if (outside(target_range_, q, coordination[q])) flag |= target_coordination;
  return flag;
}

void Predictor::contract_bridges(const Neighborhoods &neighbors, const int *numbers, int threads,
                                 std::vector<double> &contracted,
                                 std::vector<unsigned char> &flags) const {
  thread_local std::vector<double> own_sources;
  std::vector<double> &sources = own_sources; // of this thread, for all workers
  const std::size_t n_bridges = neighbors.bridge_atoms.size();
  if (field_) {
    sources.resize(neighbors.source_atoms.size() * field_->source_size());
    parallel_for(threads, neighbors.source_atoms.size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t s = begin; s < end; ++s) {
        const int species = basis_.species_of(numbers[neighbors.source_atoms[s]]);
        field_->describe_source(species,
                                field_->has_density(species) ? neighbors.of_source(s)
                                                             : neighbors::Neighborhood{},
                                sources.data() + s * field_->source_size());
      }
    });
  }
  contracted.resize(n_bridges * contracted_size());
  flags.resize(n_bridges);
  parallel_for(threads, n_bridges, [&](std::size_t begin, std::size_t end) {
    for (std::size_t b = begin; b < end; ++b) {
      const int bridge = basis_.bridge_of(basis_.species_of(numbers[neighbors.bridge_atoms[b]]));
      double *const result = contracted.data() + b * contracted_size();
      flags[b] = contract_bridge(bridge, neighbors.of_bridge(b), result);
      if (field_) add_field(bridge, neighbors.of_field(b), sources.data(), result);
    }
  });
}

void Predictor::predict(const neighbors::System &system, const int *numbers,
                        const std::vector<int> &targets, double *components, unsigned char *flags,
                        int threads) const {
  // memory kept from frame to frame: asking for it anew costs as much as the search
  thread_local Neighborhoods own_neighbors;
  thread_local std::vector<double> own_contracted;
  thread_local std::vector<unsigned char> own_flags;
  find_neighborhoods(basis_, system, numbers, targets, own_neighbors);
  const Neighborhoods &neighbors = own_neighbors; // of this thread, for all workers
  const std::vector<double> &contracted = own_contracted;
  const std::vector<unsigned char> &bridge_flags = own_flags;
  contract_bridges(neighbors, numbers, threads, own_contracted, own_flags);
  parallel_for(threads, targets.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t t = begin; t < end; ++t) {
      const unsigned char flag = predict_target(neighbors.of_target(t), contracted.data(),
                                                bridge_flags.data(), components + 5 * t);
      if (flags) flags[t] = flag;
    }
  });
}

} // namespace lpsnmr::efg
