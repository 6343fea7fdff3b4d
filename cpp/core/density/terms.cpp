#include "core/density/terms.h"

#include <cstddef>

namespace lpsnmr::density {

Terms::Terms(const Block &block) {
  for (const Channel &channel : block.channels)
    for (std::size_t f = 0; f < channel.functions.size(); ++f, ++functions)
      for (int l = 0; l <= channel.highest_l; ++l) members[std::size_t(l)].push_back(functions);
  for (int l = 0; l < 3; ++l) {
    const int n = static_cast<int>(members[std::size_t(l)].size());
    for (int p = 0; p < n; ++p)
      for (int q = p; q < n; ++q) products.push_back({l, p, q});
  }
  const int count = static_cast<int>(products.size());
  if (block.three_body)
    for (int m = 0; m < count; ++m) terms.push_back({-1, m});
  if (block.four_body)
    for (int a = 0; a < functions; ++a)
      for (int m = 0; m < count; ++m)
        if (products[std::size_t(m)].l > 0 || a <= products[std::size_t(m)].p)
          terms.push_back({a, m});
}

double product_value(const Terms &terms, const Terms::Product &product, const double *moments) {
  const std::vector<int> &members = terms.members[std::size_t(product.l)];
  const auto moments_of = [&](int member) {
    return moments + all_components * members[std::size_t(member)] + first_component[product.l];
  };
  const double *const p = moments_of(product.p), *const q = moments_of(product.q);
  double value = 0.0;
  for (int c = 0; c < component_count[product.l]; ++c)
    value += (product.l == 2 ? multiplicity[c] : 1.0) * p[c] * q[c];
  return value;
}

std::vector<double> interval_cubics(const Channel &channel, const RadialFunction &function) {
  const double h = (channel.cutoff - channel.start) / channel.intervals;
  // three functions that would not vanish at either end are left out
  std::vector<double> c(3, 0.0), out;
  c.insert(c.end(), function.coefficients.begin(), function.coefficients.end());
  c.resize(c.size() + 3, 0.0);
  for (std::size_t s = 0; s < std::size_t(channel.intervals); ++s) {
    out.push_back((c[s] + 4.0 * c[s + 1] + c[s + 2]) / 6.0);
    out.push_back((c[s + 2] - c[s]) / (2.0 * h));
    out.push_back((c[s] - 2.0 * c[s + 1] + c[s + 2]) / (2.0 * h * h));
    out.push_back((c[s + 3] - c[s] + 3.0 * (c[s + 1] - c[s + 2])) / (6.0 * h * h * h));
  }
  return out;
}

} // namespace lpsnmr::density
