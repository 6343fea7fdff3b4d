// An ultra-fast potential ready for evaluation: tables by species, knots looked up, blocks padded.
#pragma once

#include "core/splines/knot_grid.h"
#include "core/ufp/uf3_file.h"

#include <cstdint>
#include <string>
#include <vector>

namespace lpsnmr::ufp {

/// V2 of one ordered species pair as piecewise cubics with its short-range continuation.
///
/// Below the first knot r0: V(r) = V(r0) + V'(r0)(r - r0) + K (r - r0)^2 / 2 with
/// K = max(V''(r0), 20 eV/Å^2, 2 V'(r0)/r0): C1, C2 where the spline's own curvature is the
/// largest, and repulsive at contact whatever the slope at r0.
class PairSpline {
public:
  PairSpline() = default;
  explicit PairSpline(const TwoBodyBlock &block);

  double cutoff() const { return cutoff_; }
  double first_knot() const { return grid_.low(); }
  const splines::KnotGrid &grid() const { return grid_; }
  /// (spans + 1, power) polynomials of r minus the left end of a span of `knots`, a refinement of
  /// grid(); the first four are the continuation below the first knot.
  std::vector<double> cubics(const splines::KnotGrid &knots) const;

  /// Return V(r) of the ordered pair and set its derivative; zero at and beyond the cutoff.
  double evaluate(double r, double &derivative) const {
    if (r < grid_.low()) {
      const double x = r - grid_.low();
      derivative = slope_ + stiffness_ * x;
      return value_ + x * (slope_ + 0.5 * stiffness_ * x);
    }
    const std::size_t s = grid_.span(r);
    const double *c = &cubic_[4 * s];
    const double u = r - grid_.start(s);
    derivative = c[1] + u * (2.0 * c[2] + 3.0 * u * c[3]);
    return c[0] + u * (c[1] + u * (c[2] + u * c[3]));
  }

private:
  splines::KnotGrid grid_;
  std::vector<double> cubic_; // (spans, power)
  double cutoff_ = 0, value_ = 0, slope_ = 0, stiffness_ = 0;
};

/// V3 of one centre and two neighbour species B <= C: coefficients [ij][ik][jk] with j of B, k of
/// C.
struct TripletCoefficients {
  bool present = false;
  int grid_ij = 0, grid_ik = 0, grid_jk = 0; ///< into Potential::grids
  double cutoff_ij = 0, cutoff_ik = 0, cutoff_jk = 0;
  int n_ij = 0, n_ik = 0, n_jk = 0;
  std::vector<double> coefficients; ///< three zeros appended, so that four can always be loaded
};

/// Which parts of a file to use.
enum class BodyOrder { two = 2, three = 3 };

class Potential {
public:
  Potential() = default;

  /// @param elements species 0, 1, ... of the caller; each must be in the file with every partner
  /// @throws Error for a missing element, pair or triple
  Potential(const Uf3File &file, const std::vector<std::string> &elements, BodyOrder order);

  int species() const { return static_cast<int>(elements_.size()); }
  const std::vector<std::string> &elements() const { return elements_; }
  bool three_body() const { return three_body_; }
  const std::string &units() const { return units_; }

  const PairSpline &pair(int a, int b) const {
    return pairs_[std::size_t(a) * elements_.size() + b];
  }
  /// Table of centre a and neighbours b <= c.
  const TripletCoefficients &triple(int a, int b, int c) const {
    return triples_[(std::size_t(a) * elements_.size() + b) * elements_.size() + c];
  }
  const std::vector<splines::KnotGrid> &grids() const { return grids_; }

  /// Largest distance at which a pair interacts, two- or three-body.
  double cutoff(int a, int b) const { return cutoffs_[std::size_t(a) * elements_.size() + b]; }
  /// Largest distance at which b is a three-body neighbour of centre a; 0 without three-body terms.
  double three_body_cutoff(int a, int b) const {
    return three_body_cutoffs_[std::size_t(a) * elements_.size() + b];
  }
  double max_cutoff() const { return max_cutoff_; }

private:
  int add_grid(const std::vector<double> &knots);
  void add_triple(const ThreeBodyBlock &block, int a, int b, int c);
  void shrink_to_support(TripletCoefficients &table) const;

  std::string units_;
  std::vector<std::string> elements_;
  std::vector<PairSpline> pairs_;
  std::vector<TripletCoefficients> triples_;
  std::vector<splines::KnotGrid> grids_; // distinct three-body knot vectors
  std::vector<double> cutoffs_, three_body_cutoffs_;
  double max_cutoff_ = 0;
  bool three_body_ = false;
};

} // namespace lpsnmr::ufp
