// How far a neighbourhood lies outside what a UFP was trained on.
#pragma once

#include "density_site.h"
#include "extrapolation_file.h"
#include "site_features.h"

#include <vector>

namespace lpsnmr {

/// What is said of one centre.
struct SiteGrade {
  double excess;    ///< how much closer than any such pair of training the worst pair is, Å; or 0
  double deviation; ///< standard deviation of the energy of the centre from its mean on, eV
  double grade;     ///< deviation over the largest in training of this element
};

/// Evaluates one centre at a time; holds the work space, so use one per thread.
///
/// With phi the row of SiteFeatures and DensitySite, m its mean over the training atoms of the
/// element and C the posterior covariance of the coefficients of the fit, deviation^2 = (phi - m)'
/// C (phi - m): the variance of the energy difference to the mean neighbourhood of training.
/// Constants per element, which no force tells, drop out. Coefficients of V2 and V3 that no
/// training frame touched are independent with their prior width; such density terms do not count.
class Extrapolation {
public:
  explicit Extrapolation(const ExtrapolationFile &file);
  Extrapolation(const Extrapolation &) = delete;
  Extrapolation &operator=(const Extrapolation &) = delete;

  /// @param species of the centre and the neighbours: positions in ExtrapolationFile::elements
  SiteGrade evaluate(int species, const std::vector<SiteNeighbor> &neighbors);

  const ExtrapolationFile &file() const { return file_; }
  /// Coefficients of V2, V3 and the density terms.
  int columns() const { return basis_.columns() + density_.columns(); }
  int species() const { return basis_.species(); }
  /// Largest distance that matters, Å.
  double cutoff() const;
  /// Largest distance at which b matters to the grade of a centre a, Å.
  double cutoff(int a, int b) const;
  double shortest(int a, int b) const { return file_.shortest[std::size_t(basis_.pair_of(a, b))]; }

private:
  /// One entry of the row of a centre.
  struct Entry {
    std::size_t row; ///< of the factor
    double value;
  };

  double sort_row(int species);
  void add_density(int species, const std::vector<SiteNeighbor> &neighbors);
  void multiply(int species);

  ExtrapolationFile file_;
  UfpBasis basis_;
  DensityBasis density_;
  SiteFeatures features_;
  DensitySite site_;
  std::vector<std::vector<int>> position_;  // (element, column) -> row of the factor, -1: untouched
  std::vector<std::vector<double>> offset_; // (element, size) factor' times the mean
  std::vector<Entry> entries_;
  std::vector<double> product_; // factor' times (row - mean)
};

} // namespace lpsnmr
