// The .efg model file: docs/reference/efg-model-format.md tells the format, and
// python/lpsnmr/efg/files.py writes it.
#pragma once

#include "core/efg/predictor.h"

#include <string>
#include <vector>

namespace lpsnmr::efg {

/// What a file holds for one element it predicts; the fields are the arguments of Predictor.
struct ModelTarget {
  int atomic_number = 0;
  std::vector<double> weights; ///< V/Å² per unit of feature
  EnvironmentRange environment;
  std::vector<EnvironmentRange> bridge_environments;
  /// The committee: lists like `weights`; empty for a model that tells no uncertainty.
  std::vector<std::vector<double>> members;
  double floor = 0.0; ///< V/Å²: square root of the variance that the committee does not see
};

struct EfgFile {
  Settings settings;
  std::vector<ModelTarget> targets; ///< at least one
  std::string provenance;           ///< the object as it stands in the file, JSON
};

/// Parse the whole text of a model file.
///
/// The one reader: `compute efg/atom` and lpsnmr.efg.EfgModel use it.
///
/// @param name used in messages, `name:line: what, expected, got`
/// @throws Error for what is not a complete model of a version and unit we know, or settings or
///               numbers that make no model
EfgFile parse_efg_file(const std::string &text, const std::string &name);

} // namespace lpsnmr::efg
