// How far a neighbourhood lies outside what a UFP was trained on.
#pragma once

#include "core/density/site_features.h"
#include "core/grades/covariance_factor.h"
#include "core/grades/ufx_file.h"
#include "core/ufp/site_features.h"

#include <vector>

namespace lpsnmr::grades {

/// What is said of one centre.
struct SiteGrade {
  double excess;    ///< how much closer than any such pair of training the worst pair is, Å; or 0
  double deviation; ///< standard deviation of the energy of the centre from its mean on, eV
  double grade;     ///< deviation over the largest in training of this element
};

/// Evaluates centres, several of one element together; holds the work space, so use one per thread.
///
/// With phi the row of SiteFeatures and density::SiteFeatures, m its mean over the training atoms
/// of the element and C the posterior covariance of the coefficients of the fit, deviation^2 = (phi
/// - m)' C (phi - m): the variance of the energy difference to the mean neighbourhood of training.
/// Constants per element, which no force tells, drop out. Coefficients of V2 and V3 that no
/// training frame touched are independent with their prior width; such density terms do not count.
class Extrapolation {
public:
  explicit Extrapolation(UfxFile file);
  Extrapolation(const Extrapolation &) = delete;
  Extrapolation &operator=(const Extrapolation &) = delete;

  /// Take a centre.
  ///
  /// @param species of the centre and the neighbours: positions in UfxFile::elements
  void add(int species, const neighbors::Neighborhood &neighbors);
  /// Return the grades of the centres taken since the last call, in the order they were taken.
  std::vector<SiteGrade> finish();
  /// Forget the centres taken since the last finish(): what an error has interrupted.
  void discard();

  /// What was read; the factors are kept in another order, here they are empty.
  const UfxFile &file() const { return file_; }
  /// Memory of the factors and the work space.
  double bytes() const;
  /// Coefficients of V2, V3 and the density terms.
  int columns() const { return basis_.columns() + density_.columns(); }
  int species() const { return basis_.species(); }
  /// Largest distance that matters, Å.
  double cutoff() const;
  /// Largest distance at which b matters to the grade of a centre a, Å.
  double cutoff(int a, int b) const;
  double shortest(int a, int b) const { return file_.shortest[std::size_t(basis_.pair_of(a, b))]; }

private:
  /// Centres of one element that wait to be multiplied together.
  struct Batch {
    std::vector<double> rows;        ///< (size of the factor, batch) zero but for what is used
    std::vector<unsigned char> used; ///< (size of the factor) whether a centre has this entry
    std::vector<std::size_t> taken;  ///< places of the centres in grades_
  };

  void put(int species, std::size_t row, double value);
  double add_splines(int species);
  void add_density(int species, const neighbors::Neighborhood &neighbors);
  void multiply(int species);

  UfxFile file_;
  ufp::Basis basis_;
  density::Basis density_;
  ufp::SiteFeatures features_;
  density::SiteFeatures site_;
  std::vector<std::vector<int>> position_; // (element, column) -> row of the factor, -1: untouched
  std::vector<CovarianceFactor> factor_;   // of each element
  std::vector<Batch> batch_;               // of each element
  std::vector<SiteGrade> grades_;          // of those that wait, the variance in `deviation`
  std::vector<std::size_t> used_;          // rows of a batch, ascending
  std::vector<double> values_;             // (used, batch)
};

} // namespace lpsnmr::grades
