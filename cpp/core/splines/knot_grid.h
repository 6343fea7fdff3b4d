// Cubic B-splines on one knot vector: span look-up and the four non-zero basis functions.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace lpsnmr::splines {

/// The four basis functions that do not vanish at one abscissa, with their derivatives.
struct BasisValues {
  alignas(32) double value[4];
  alignas(32) double derivative[4];
  int offset; ///< index of the first of the four among all functions
};

/// A knot vector t_0 <= ... <= t_{K-1} with K - 4 cubic basis functions on [t_3, t_{K-4}].
///
/// Uniform and non-uniform knots are handled alike: a table of equal cells leads to the span, and a
/// span holds the four basis functions as cubic polynomials of the distance from its left end.
/// Below t_3 every basis function continues as a straight line (C1); beyond the last knot the
/// functions of the last span are those at the end.
class KnotGrid {
public:
  KnotGrid() = default;

  /// @throws Error unless there are >= 8 finite, non-decreasing knots with t_3 < t_{K-4} and no
  ///         knot more than fourfold
  explicit KnotGrid(std::vector<double> knots);

  const std::vector<double> &knots() const { return knots_; }
  int functions() const { return static_cast<int>(knots_.size()) - 4; }
  double low() const { return low_; }
  double high() const { return high_; }
  std::size_t spans() const { return offset_.size(); }

  /// Left end of a span.
  double start(std::size_t span) const { return start_[span]; }
  /// First non-zero function of a span.
  int offset(std::size_t span) const { return offset_[span]; }
  /// Polynomial coefficient of (r - start)^power of function offset + k on a span.
  double polynomial(std::size_t span, int power, int k) const {
    return polynomials_[(span * 4 + static_cast<std::size_t>(power)) * 4 +
                        static_cast<std::size_t>(k)];
  }
  /// The 16 polynomial coefficients of a span, [power][function].
  const double *polynomials(std::size_t span) const { return &polynomials_[span * 16]; }

  /// True when all spans have one width; then span s starts at low() + s / spans_per_length().
  bool uniform() const { return uniform_; }
  double spans_per_length() const { return spans_per_length_; }

  /// Span that contains r; the first or last one when r lies outside.
  std::size_t span(double r) const {
    const double cell = (r - low_) * cells_per_length_;
    if (!(cell > 0)) return 0;
    std::size_t s = cell < double(lookup_.size()) ? std::size_t(lookup_[std::size_t(cell)])
                                                  : offset_.size() - 1;
    while (s + 1 < offset_.size() && r >= start_[s + 1]) ++s;
    return s;
  }

  /// Evaluate the four functions and derivatives at r.
  void evaluate(double r, BasisValues &out) const {
    const std::size_t s = span(r);
    const double *p = &polynomials_[s * 16];
    const double clamped = r < low_ ? low_ : (r > high_ ? high_ : r);
    const double u = clamped - start_[s];
    for (int k = 0; k < 4; ++k) {
      const double a = p[k], b = p[4 + k], c = p[8 + k], d = p[12 + k];
      out.value[k] = a + u * (b + u * (c + u * d));
      out.derivative[k] = b + u * (2.0 * c + 3.0 * u * d);
    }
    if (r < low_)
      for (int k = 0; k < 4; ++k) out.value[k] += (r - low_) * out.derivative[k];
    out.offset = offset_[s];
  }

  bool operator==(const KnotGrid &other) const { return knots_ == other.knots_; }

private:
  std::vector<double> knots_;
  double low_ = 0, high_ = 0, cells_per_length_ = 0, spans_per_length_ = 0;
  bool uniform_ = false;
  std::vector<double> start_;       // (spans)
  std::vector<int> offset_;         // (spans)
  std::vector<double> polynomials_; // (spans, power, function)
  std::vector<int> lookup_;         // (cells) a span at or before the cell
};

} // namespace lpsnmr::splines
