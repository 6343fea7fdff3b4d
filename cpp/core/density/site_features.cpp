#include "core/density/site_features.h"

#include "core/density/directions.h"

namespace lpsnmr::density {

double SiteFeatures::moment(int function) const {
  return moments_[std::size_t(function) * all_components];
}

void SiteFeatures::evaluate(const Basis::BlockColumns &block,
                            const neighbors::Neighborhood &neighbors) {
  moments_.assign(std::size_t(block.terms.functions) * all_components, 0.0);
  for (std::size_t e = 0; e < neighbors.size; ++e) {
    const double r = neighbors.distance[e], *const d = neighbors.vector + 3 * e;
    std::size_t function = 0;
    for (std::size_t c = 0; c < block.species.size(); ++c) {
      const Channel &channel = block.block.channels[c];
      // at or below the first knot all functions vanish, and atoms in one place have no direction
      if (neighbors.species[e] != block.species[c] || r <= channel.start || r >= channel.cutoff) {
        function += channel.functions.size();
        continue;
      }
      const double unit[3] = {d[0] / r, d[1] / r, d[2] / r};
      double y[all_components];
      direction_products(unit, y);
      for (std::size_t f = 0; f < channel.functions.size(); ++f, ++function) {
        double slope;
        const double value = radial_value(channel, block.cubics[function], r, slope);
        double *const moments = &moments_[function * all_components];
        for (std::size_t k = 0; k < all_components; ++k) moments[k] += value * y[k];
      }
    }
  }
  products_.clear();
  for (const Terms::Product &product : block.terms.products)
    products_.push_back(product_value(block.terms, product, moments_.data()));
  terms_.clear();
  for (const Terms::Term &term : block.terms.terms)
    terms_.push_back((term.function < 0 ? 1.0 : moment(term.function)) *
                     products_[std::size_t(term.product)]);
}

} // namespace lpsnmr::density
