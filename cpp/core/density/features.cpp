#include "core/density/features.h"

#include "core/common/error.h"
#include "core/common/tensor_order.h"
#include "core/density/directions.h"
#include "core/density/site_features.h"
#include "core/neighbors/search.h"
#include "core/ufp/center_atoms.h"
#include "core/ufp/features.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lpsnmr::density {
namespace {

/// A neighbour of the current centre in one channel.
struct Member {
  std::size_t entry; ///< among the neighbours
  int channel;
  double distance;
  std::array<double, 3> unit;
};

/// Moments of a centre and how each neighbour moves them.
struct Moments {
  std::vector<double> value; ///< (function, 10)
  /// (member, function of its channel, 10, 3): with respect to the vector to the neighbour
  std::vector<std::vector<double>> slope;
};

Moments make_moments(const Basis::BlockColumns &block, const std::vector<Member> &members) {
  Moments out;
  out.value.assign(std::size_t(block.terms.functions) * all_components, 0.0);
  std::vector<int> first{0};
  for (const Channel &channel : block.block.channels)
    first.push_back(first.back() + static_cast<int>(channel.functions.size()));
  for (const Member &member : members) {
    const Channel &channel = block.block.channels[std::size_t(member.channel)];
    double y[all_components], d[all_components][3];
    direction_products(member.unit.data(), y);
    direction_slopes(member.unit.data(), d);
    std::vector<double> slopes;
    for (std::size_t f = 0; f < channel.functions.size(); ++f) {
      const std::size_t function = std::size_t(first[std::size_t(member.channel)]) + f;
      double slope;
      const double value = radial_value(channel, block.cubics[function], member.distance, slope);
      for (int c = 0; c < all_components; ++c) {
        out.value[function * all_components + std::size_t(c)] += value * y[c];
        double along = 0.0;
        for (std::size_t a = 0; a < 3; ++a) along += d[c][a] * member.unit[a];
        for (std::size_t a = 0; a < 3; ++a)
          slopes.push_back(slope * y[c] * member.unit[a] +
                           value / member.distance * (d[c][a] - along * member.unit[a]));
      }
    }
    out.slope.push_back(std::move(slopes));
  }
  return out;
}

/// A product and its derivatives with respect to the moments: sparse.
struct Gradient {
  double value = 0;
  std::vector<std::pair<int, double>> slope; ///< (10 function + component, derivative)
};

Gradient product_gradient(const Terms &terms, const Terms::Product &product,
                          const std::vector<double> &moments) {
  Gradient out;
  out.value = product_value(terms, product, moments.data());
  const std::vector<int> &members = terms.members[std::size_t(product.l)];
  for (int c = 0; c < component_count[product.l]; ++c) {
    const int p = all_components * members[std::size_t(product.p)] + first_component[product.l] + c;
    const int q = all_components * members[std::size_t(product.q)] + first_component[product.l] + c;
    const double times = product.l == 2 ? multiplicity[c] : 1.0;
    out.slope.emplace_back(p, times * moments[std::size_t(q)]);
    out.slope.emplace_back(q, times * moments[std::size_t(p)]);
  }
  return out;
}

/// The common factor of all terms of a centre, with its derivatives.
Gradient fade_gradient(const Block &block, const std::vector<double> &moments) {
  std::vector<double> factors, slopes;
  for (const Channel &channel : block.channels)
    for (const RadialFunction &function : channel.functions) {
      double slope;
      const double s = moments[factors.size() * all_components];
      factors.push_back(fade_factor(s, function.full, function.gone, slope));
      slopes.push_back(slope);
    }
  Gradient out;
  out.value = 1.0;
  for (const double factor : factors) out.value *= factor;
  for (std::size_t p = 0; p < slopes.size(); ++p) {
    double slope = slopes[p];
    if (slope == 0.0) continue;
    for (std::size_t q = 0; q < factors.size(); ++q)
      if (q != p) slope *= factors[q];
    out.slope.emplace_back(all_components * static_cast<int>(p), slope);
  }
  return out;
}

/// left * right
Gradient multiplied(const Gradient &left, const Gradient &right) {
  Gradient out;
  out.value = left.value * right.value;
  for (const auto &[at, slope] : left.slope) out.slope.emplace_back(at, slope * right.value);
  for (const auto &[at, slope] : right.slope) out.slope.emplace_back(at, slope * left.value);
  return out;
}

/// Writes the rows of one column from the derivatives with respect to the moments.
class RowWriter {
public:
  RowWriter(const Basis::BlockColumns &block, std::size_t center,
            const neighbors::Neighborhood &neighbors, const std::vector<Member> &members,
            const Moments &moments)
      : block_(block), center_(center), neighbors_(neighbors), members_(members),
        moments_(moments) {
    int function = 0;
    for (const Channel &channel : block.block.channels) {
      first_.push_back(function);
      function += static_cast<int>(channel.functions.size());
    }
  }

  void write(const Gradient &gradient, double *column) {
    dense_.assign(moments_.value.size(), 0.0);
    touched_.assign(std::size_t(block_.terms.functions), 0);
    for (const auto &[at, slope] : gradient.slope) {
      dense_[std::size_t(at)] += slope;
      touched_[std::size_t(at / all_components)] = 1;
    }
    column[0] += gradient.value;
    for (std::size_t e = 0; e < members_.size(); ++e) add_member(e, column);
  }

private:
  void add_member(std::size_t e, double *column) const {
    const Member &member = members_[e];
    const std::size_t functions =
        block_.block.channels[std::size_t(member.channel)].functions.size();
    const int first = first_[std::size_t(member.channel)];
    double g[3] = {0, 0, 0};
    for (std::size_t f = 0; f < functions; ++f) {
      const std::size_t function = std::size_t(first) + f;
      if (!touched_[function]) continue;
      const double *const slope = &moments_.slope[e][f * all_components * 3];
      for (std::size_t c = 0; c < std::size_t(all_components); ++c)
        for (std::size_t a = 0; a < 3; ++a)
          g[a] += dense_[function * all_components + c] * slope[3 * c + a];
    }
    const double *const vector = neighbors_.vector + 3 * member.entry;
    for (std::size_t m = 0; m < 6; ++m)
      column[1 + m] -= g[tensor_order[m][0]] * vector[tensor_order[m][1]];
    double *const on_i = column + 7 + 3 * center_, *const on_j =
                                                       column + 7 +
                                                       3 * std::size_t(
                                                               neighbors_.index[member.entry]);
    for (std::size_t a = 0; a < 3; ++a) {
      on_i[a] += g[a];
      on_j[a] -= g[a];
    }
  }

  const Basis::BlockColumns &block_;
  std::size_t center_;
  const neighbors::Neighborhood &neighbors_;
  const std::vector<Member> &members_;
  const Moments &moments_;
  std::vector<int> first_;
  std::vector<double> dense_;
  std::vector<char> touched_;
};

void add_block_rows(const Basis::BlockColumns &block, std::size_t center,
                    const neighbors::Neighborhood &neighbors, const std::vector<Member> &members,
                    std::size_t rows, double *out, double *largest) {
  const Moments moments = make_moments(block, members);
  if (largest)
    for (std::size_t p = 0; p < std::size_t(block.terms.functions); ++p)
      largest[p] = std::max(largest[p], moments.value[p * all_components]);
  std::vector<Gradient> products;
  for (const Terms::Product &product : block.terms.products)
    products.push_back(product_gradient(block.terms, product, moments.value));
  const Gradient fade = fade_gradient(block.block, moments.value);
  RowWriter writer(block, center, neighbors, members, moments);
  for (std::size_t t = 0; t < block.terms.terms.size(); ++t) {
    const Terms::Term &term = block.terms.terms[t];
    Gradient gradient = products[std::size_t(term.product)];
    if (term.function >= 0) {
      const int at = all_components * term.function;
      gradient = multiplied({moments.value[std::size_t(at)], {{at, 1.0}}}, gradient);
    }
    if (fade.value != 1.0) gradient = multiplied(fade, gradient);
    writer.write(gradient, out + (std::size_t(block.first_column) + t) * rows);
  }
}

/// The neighbours of one centre in the channels of a block.
void gather_members(const Basis::BlockColumns &block, const neighbors::Neighborhood &neighbors,
                    std::vector<Member> &members) {
  members.clear();
  for (std::size_t e = 0; e < neighbors.size; ++e) {
    const double r = neighbors.distance[e], *const d = neighbors.vector + 3 * e;
    for (std::size_t c = 0; c < block.species.size(); ++c)
      if (neighbors.species[e] == block.species[c] && r < block.block.channels[c].cutoff)
        members.push_back({e, static_cast<int>(c), r, {d[0] / r, d[1] / r, d[2] / r}});
  }
}

neighbors::NeighborList make_list(const Basis &basis, const neighbors::System &system) {
  neighbors::NeighborList list = neighbors::build_neighbor_list(system, basis.cutoff());
  neighbors::check_apart(list);
  return list;
}

/// The common factor of all terms of a centre.
double fade_of(const Block &block, const SiteFeatures &site) {
  double out = 1.0;
  int number = 0;
  for (const Channel &channel : block.channels)
    for (const RadialFunction &function : channel.functions) {
      double slope;
      out *= fade_factor(site.moment(number++), function.full, function.gone, slope);
    }
  return out;
}

} // namespace

void evaluate_features(const Basis &basis, const neighbors::System &system,
                       const std::vector<int> &species, double *out, double *largest) {
  neighbors::check_species(species, system.size, basis.species());
  const std::size_t rows = ufp::feature_rows(system.size);
  std::fill(out, out + rows * std::size_t(basis.columns()), 0.0);
  if (basis.cutoff() <= 0.0) return;
  const neighbors::NeighborList list = make_list(basis, system);
  const std::vector<int> entry_species = list.species_of_entries(species);
  std::vector<Member> members;
  for (std::size_t i = 0; i < system.size; ++i) {
    const neighbors::Neighborhood around = list.around(i, entry_species.data());
    double *of_block = largest;
    for (const Basis::BlockColumns &block : basis.blocks()) {
      if (block.center == species[i]) {
        gather_members(block, around, members);
        add_block_rows(block, i, around, members, rows, out, of_block);
      }
      if (of_block) of_block += block.terms.functions;
    }
  }
}

std::vector<double> site_energies(const Basis &basis, const neighbors::System &system,
                                  const std::vector<int> &species, const double *coefficients) {
  neighbors::check_species(species, system.size, basis.species());
  const std::size_t blocks = basis.blocks().size();
  std::vector<double> out(system.size * blocks, 0.0);
  if (basis.cutoff() <= 0.0) return out;
  const neighbors::NeighborList list = make_list(basis, system);
  const std::vector<int> entry_species = list.species_of_entries(species);
  SiteFeatures site;
  for (std::size_t i = 0; i < system.size; ++i) {
    const neighbors::Neighborhood around = list.around(i, entry_species.data());
    for (std::size_t b = 0; b < blocks; ++b) {
      const Basis::BlockColumns &block = basis.blocks()[b];
      if (block.center != species[i]) continue;
      site.evaluate(block, around);
      const double sum = std::inner_product(site.terms().begin(), site.terms().end(),
                                            coefficients + block.first_column, 0.0);
      out[i * blocks + b] = fade_of(block.block, site) * sum;
    }
  }
  return out;
}

} // namespace lpsnmr::density
