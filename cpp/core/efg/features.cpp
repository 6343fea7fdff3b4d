// The features one by one, as the fit needs them; the prediction has its own, contracted path.
#include "core/efg/features.h"

#include "core/efg/expansion.h"
#include "core/efg/field.h"
#include "core/efg/neighborhoods.h"

#include <algorithm>
#include <array>

#define LPSNMR_LOOPS "core/efg/features_loops.h"
#define LPSNMR_LOOPS_NAMESPACE efg
#include "core/simd/versions.h"

namespace lpsnmr::efg {
namespace {

constexpr int max_harmonics = harmonic_count(max_harmonic_degree);

/// Radial functions and harmonics of one neighbour.
struct Direction {
  std::array<double, max_harmonics> harmonics;
  Direction(const neighbors::Neighborhood &neighbors, std::size_t k, int l_max) {
    const double *v = neighbors.vector + 3 * k;
    const double r = neighbors.distance[k];
    const double x = v[0] / r, y = v[1] / r, z = v[2] / r;
    real_harmonics<1>(l_max, &x, &y, &z, harmonics.data());
  }
};

/// Add the chain features of one target–bridge pair; `block` is the part of that bridge species.
void add_chain(const Basis &basis, double r, const double *harmonics, const double *descriptor,
               double *block, std::size_t row) {
  const Settings &s = basis.settings();
  double radial[max_radial_count];
  radial_functions<1>(s.chain.count, s.chain.cutoff, &r, radial);
  for (const DegreePair &pair : basis.chain_pairs()) {
    const std::size_t channels = basis.bridge_channels(pair.l2);
    for (std::size_t q = 0; q < channels; ++q) {
      const double *channel = descriptor + basis.bridge_offset(pair.l2) + q;
      double coupled[5] = {};
      for (const CouplingTerm &t : pair.terms)
        coupled[t.c] += t.value * harmonics[pair.l1 * pair.l1 + t.a] * channel[t.b * channels];
      for (int n = 0; n < s.chain.count; ++n)
        for (int m = 0; m < 5; ++m) block[m * row + n * channels + q] += radial[n] * coupled[m];
    }
    block += s.chain.count * channels;
  }
}

/// The factors of the products at a bridge, laid out so that one loop runs over pairs of channels.
class Factors {
public:
  /// Gather from density[channel][lm], channel = species · stride + n.
  Factors(const Basis &basis, const double *density, int stride, int width,
          simd::Instructions instructions)
      : add_(LPSNMR_VERSION(add_products, instructions)) {
    const Settings &s = basis.settings();
    const int n = basis.species_count() * s.product.count;
    const auto values = [&](int q) {
      return density + (q / s.product.count * stride + q % s.product.count) * width;
    };
    const int harmonics = harmonic_count(s.product_l_max);
    all_.resize(std::size_t(n) * n, harmonics);
    ordered_.resize(std::size_t(n) * (n + 1) / 2, harmonics);
    std::size_t every = 0, half = 0;
    for (int lm = 0; lm < harmonics; ++lm)
      for (int q = 0; q < n; ++q) {
        const double left = values(q)[lm];
        for (int p = 0; p < n; ++p, ++every) {
          all_.left[every] = left;
          all_.right[every] = values(p)[lm];
        }
        for (int p = q; p < n; ++p, ++half) {
          ordered_.left[half] = left;
          ordered_.right[half] = values(p)[lm];
        }
      }
  }

  /// Write the products of one pair of degrees to out[m][begin …]; returns where they end.
  std::size_t multiply(const DegreePair &pair, double *out, std::size_t channels,
                       std::size_t begin) const {
    const Pairs &pairs = pair.l1 == pair.l2 ? ordered_ : all_;
    const std::size_t count = pairs.count;
    for (int m = 0; m < 2 * pair.l + 1; ++m) std::fill_n(out + m * channels + begin, count, 0.0);
    for (const CouplingTerm &t : pair.terms)
      add_(t.value, pairs.left.data() + (pair.l1 * pair.l1 + t.a) * count,
           pairs.right.data() + (pair.l2 * pair.l2 + t.b) * count, count,
           out + t.c * channels + begin);
    return begin + count;
  }

private:
  /// Left and right factor, [lm][pair of channels].
  struct Pairs {
    std::vector<double> left, right;
    std::size_t count = 0;
    void resize(std::size_t pairs, int harmonics) {
      count = pairs;
      left.resize(pairs * harmonics);
      right.resize(pairs * harmonics);
    }
  };
  void (*add_)(double, const double *, const double *, std::size_t, double *);
  Pairs all_, ordered_;
};

/// Write the body-order-3 features from the density around the target.
void write_triples(const Basis &basis, const double *density, double *features) {
  const Settings &s = basis.settings();
  const std::size_t channels = s.species.size() * s.triple.count;
  const int width = harmonic_count(s.triple_l_max);
  std::size_t f = basis.triple_begin();
  for (const DegreePair &pair : basis.triple_pairs())
    for (std::size_t q = 0; q < channels; ++q)
      for (std::size_t p = pair.l1 == pair.l2 ? q : 0; p < channels; ++p, ++f)
        for (const CouplingTerm &t : pair.terms)
          features[t.c * basis.size() + f] += t.value *
                                              density[q * width + pair.l1 * pair.l1 + t.a] *
                                              density[p * width + pair.l2 * pair.l2 + t.b];
}

/// The fields of all channels at the bridges: (bridges, field_channels, 3).
std::vector<double> bridge_fields(const Basis &basis, const Neighborhoods &neighbors,
                                  const int *numbers, simd::Instructions instructions) {
  const std::size_t channels = basis.field_channels(), n_bridges = neighbors.bridge_atoms.size();
  std::vector<double> fields(n_bridges * channels * 3);
  if (channels == 0) return fields;
  std::vector<double> identity(channels * channels, 0.0);
  for (std::size_t q = 0; q < channels; ++q) identity[q * channels + q] = 1.0;
  const Field field(basis, static_cast<int>(channels), identity.data(), instructions);
  std::vector<double> sources(neighbors.source_atoms.size() * field.source_size());
  for (std::size_t s = 0; s < neighbors.source_atoms.size(); ++s) {
    const int species = basis.species_of(numbers[neighbors.source_atoms[s]]);
    field.describe_source(
        species, field.has_density(species) ? neighbors.of_source(s) : neighbors::Neighborhood{},
        sources.data() + s * field.source_size());
  }
  for (std::size_t b = 0; b < n_bridges; ++b)
    field.sum(neighbors.of_field(b), sources.data(), 0, field.rows(),
              fields.data() + b * channels * 3);
  return fields;
}

} // namespace

void describe_bridge(const Basis &basis, const neighbors::Neighborhood &neighbors,
                     const double *field, double *descriptor, simd::Instructions instructions) {
  const Settings &s = basis.settings();
  const int largest = std::max(s.bridge.count * harmonic_count(s.bridge_l_max),
                               s.product.count * harmonic_count(s.product_l_max));
  std::vector<double> density(std::size_t(largest) * basis.species_count());
  const int n_linear = basis.species_count() * s.bridge.count;
  int stride = s.bridge.count, width = harmonic_count(s.bridge_l_max);
  expand_density(neighbors, basis.species_count(), s.bridge, s.bridge_l_max, density.data(),
                 instructions);
  for (int l = 0; l <= s.bridge_l_max; ++l)
    for (int m = 0; m < 2 * l + 1; ++m)
      for (int q = 0; q < n_linear; ++q)
        descriptor[basis.bridge_offset(l) + m * basis.bridge_channels(l) + q] =
            density[q * width + l * l + m];
  const std::size_t n_fields = basis.field_channels();
  for (std::size_t q = 0; q < n_fields; ++q)
    for (int m = 0; m < 3; ++m)
      descriptor[basis.bridge_offset(1) + (m + 1) * basis.bridge_channels(1) - n_fields + q] =
          field[3 * q + m];
  if (s.product.count == 0) return;
  // the first functions of one cutoff are the same whatever their number: share the expansion
  if (s.product.cutoff != s.bridge.cutoff || s.product.count > s.bridge.count ||
      s.product_l_max > s.bridge_l_max) {
    expand_density(neighbors, basis.species_count(), s.product, s.product_l_max, density.data(),
                   instructions);
    stride = s.product.count;
    width = harmonic_count(s.product_l_max);
  }
  const Factors factors(basis, density.data(), stride, width, instructions);
  int l = -1;
  std::size_t begin = 0;
  for (const DegreePair &pair : basis.product_pairs()) {
    if (pair.l != l) begin = n_linear;
    l = pair.l;
    begin = factors.multiply(pair, descriptor + basis.bridge_offset(l), basis.bridge_channels(l),
                             begin);
  }
}

void target_features(const Basis &basis, const neighbors::Neighborhood &neighbors,
                     const double *descriptors, double *features, simd::Instructions instructions) {
  const Settings &s = basis.settings();
  const std::size_t row = basis.size();
  std::fill(features, features + 5 * row, 0.0);
  const int l_max = basis.target_l_max();
  double radial[max_radial_count];
  for (std::size_t k = 0; k < neighbors.size; ++k) {
    const Direction direction(neighbors, k, l_max);
    const double r = neighbors.distance[k];
    const int species = neighbors.species[k];
    radial_functions<1>(s.pair.count, s.pair.cutoff, &r, radial);
    for (int n = 0; n < s.pair.count; ++n)
      for (int m = 0; m < 5; ++m)
        features[m * row + species * s.pair.count + n] +=
            radial[n] * direction.harmonics[harmonic_index(2, m - 2)];
    const int bridge = basis.bridge_of(species);
    if (s.chain.count > 0 && bridge >= 0 && r < s.chain.cutoff)
      add_chain(basis, r, direction.harmonics.data(),
                descriptors + neighbors.slot[k] * basis.descriptor_size(),
                features + basis.chain_begin() + bridge * basis.bridge_block(), row);
  }
  if (s.triple.count == 0) return;
  std::vector<double> density(s.species.size() * s.triple.count * harmonic_count(s.triple_l_max));
  expand_density(neighbors, static_cast<int>(s.species.size()), s.triple, s.triple_l_max,
                 density.data(), instructions);
  write_triples(basis, density.data(), features);
}

std::vector<double> system_features(const Basis &basis, const neighbors::System &system,
                                    const int *numbers, const std::vector<int> &targets,
                                    simd::Instructions instructions) {
  const Neighborhoods neighbors = find_neighborhoods(basis, system, numbers, targets);
  const std::vector<double> fields = bridge_fields(basis, neighbors, numbers, instructions);
  std::vector<double> descriptors(neighbors.bridge_atoms.size() * basis.descriptor_size());
  for (std::size_t b = 0; b < neighbors.bridge_atoms.size(); ++b)
    describe_bridge(basis, neighbors.of_bridge(b), fields.data() + b * 3 * basis.field_channels(),
                    descriptors.data() + b * basis.descriptor_size(), instructions);
  std::vector<double> features(targets.size() * 5 * basis.size());
  for (std::size_t t = 0; t < targets.size(); ++t)
    target_features(basis, neighbors.of_target(t), descriptors.data(),
                    features.data() + t * 5 * basis.size(), instructions);
  return features;
}

} // namespace lpsnmr::efg
