// Density terms as a linear model of one centre: how its energy moves with each coefficient.
#pragma once

#include "core/density/basis.h"
#include "core/neighbors/neighbor_list.h"

#include <vector>

namespace lpsnmr::density {

/// Moments of a centre and the products of them that are its terms, without the factor that fades
/// them: beyond training they grow with the moments. Holds work space, so use one per thread.
class SiteFeatures {
public:
  /// @param neighbors in any order; those beyond a channel's cutoff or of other species are ignored
  void evaluate(const Basis::BlockColumns &block, const neighbors::Neighborhood &neighbors);

  /// d(energy)/d(coefficient) of the terms of the block, in their order.
  const std::vector<double> &terms() const { return terms_; }
  /// Scalar moment of a function of the block.
  double moment(int function) const;

private:
  std::vector<double> moments_; // (function, 10)
  std::vector<double> products_, terms_;
};

} // namespace lpsnmr::density
