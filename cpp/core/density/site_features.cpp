#include "core/density/site_features.h"

#include "core/common/tensor_order.h"

#include <algorithm>

namespace lpsnmr::density {
namespace {

/// Ten products of the direction to a neighbour.
void directions(const ufp::SiteNeighbor &neighbor, double *y) {
  double u[3];
  for (std::size_t a = 0; a < 3; ++a) u[a] = neighbor.vector[a] / neighbor.distance;
  y[0] = 1.0;
  std::copy_n(u, 3, y + first_component[1]);
  for (int c = 0; c < component_count[2]; ++c)
    y[first_component[2] + c] = u[tensor_order[c][0]] * u[tensor_order[c][1]];
}

} // namespace

double SiteFeatures::moment(int function) const {
  return moments_[std::size_t(function) * all_components];
}

void SiteFeatures::evaluate(const Basis::BlockColumns &block,
                            const std::vector<ufp::SiteNeighbor> &neighbors) {
  moments_.assign(std::size_t(block.terms.functions) * all_components, 0.0);
  for (const ufp::SiteNeighbor &neighbor : neighbors) {
    std::size_t function = 0;
    for (std::size_t c = 0; c < block.species.size(); ++c) {
      const Channel &channel = block.block.channels[c];
      // at or below the first knot all functions vanish, and atoms in one place have no direction
      if (neighbor.species != block.species[c] || neighbor.distance <= channel.start ||
          neighbor.distance >= channel.cutoff) {
        function += channel.functions.size();
        continue;
      }
      double y[all_components];
      directions(neighbor, y);
      for (std::size_t f = 0; f < channel.functions.size(); ++f, ++function) {
        double slope;
        const double value =
            radial_value(channel, block.cubics[function], neighbor.distance, slope);
        double *const moments = &moments_[function * all_components];
        for (std::size_t k = 0; k < all_components; ++k) moments[k] += value * y[k];
      }
    }
  }
  products_.clear();
  for (const Terms::Product &product : block.terms.products) {
    const auto l = std::size_t(product.l);
    const std::vector<int> &members = block.terms.members[l];
    const double *const p =
        &moments_[std::size_t(members[std::size_t(product.p)]) * all_components +
                  std::size_t(first_component[l])];
    const double *const q =
        &moments_[std::size_t(members[std::size_t(product.q)]) * all_components +
                  std::size_t(first_component[l])];
    double value = 0.0;
    for (int k = 0; k < component_count[l]; ++k)
      value += (l == 2 ? multiplicity[k] : 1.0) * p[k] * q[k];
    products_.push_back(value);
  }
  terms_.clear();
  for (const Terms::Term &term : block.terms.terms)
    terms_.push_back((term.function < 0 ? 1.0 : moment(term.function)) *
                     products_[std::size_t(term.product)]);
}

} // namespace lpsnmr::density
