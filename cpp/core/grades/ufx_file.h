// The .ufx format: what a fit knows about its own certainty.
#pragma once

#include "core/density/ufd_file.h"
#include "core/ufp/features.h"

#include <string>
#include <vector>

namespace lpsnmr::grades {

/// How certain the energy of a centre of one element is, from its mean in training on.
struct ElementCertainty {
  std::string element;
  /// Coefficients that training determined, ascending; those of the density terms come after V3.
  std::vector<int> columns;
  /// Prior standard deviation of the other coefficients of V2 and V3, eV.
  double unseen_deviation = 0;
  /// Largest standard deviation of a training atom, eV; the grade 1.
  double largest_deviation = 0;
  /// Lower triangle L, row by row, of the covariance L L' of `columns`, eV:
  /// size() (size() + 1) / 2 numbers.
  std::vector<float> factor;
  std::vector<float> mean; ///< (size()) mean features of the training atoms of this element

  std::size_t size() const { return columns.size(); }
};

struct UfxFile {
  std::string name;      ///< as given, for messages
  std::string potential; ///< SHA-256 of the .uf3 file it belongs to, hexadecimal
  std::vector<std::string> elements;
  std::vector<ufp::PairKnots> pairs; ///< every unordered pair of elements
  std::vector<double> shortest;      ///< (pairs) shortest distance of training, Å
  std::vector<ufp::TripletKnots> triples;
  std::vector<density::Block> density;     ///< without coefficients, fading and bounds
  std::vector<ElementCertainty> certainty; ///< in the order of elements
};

/// Parse the whole text of a file: one line of JSON, then factor and mean of each
/// element as little-endian float32.
///
/// @param name used in messages
/// @throws Error for anything that is not a complete, consistent file
UfxFile parse_ufx(const std::string &text, const std::string &name);

} // namespace lpsnmr::grades
