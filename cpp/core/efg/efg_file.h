// The .efg model file: docs/reference/efg-model-format.md tells the format,
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
};

struct EfgFile {
  Settings settings;
  std::vector<ModelTarget> targets; ///< at least one
};

/// Parse the whole text of a model file.
///
/// Agrees with the Python reader about every file that `EfgModel.save` writes.
///
/// @param name used in messages, `name:line: what, expected, got`
/// @throws Error for what is not a complete model of a version and unit we know, or settings or
///               numbers that make no model
EfgFile parse_efg_file(const std::string &text, const std::string &name);

} // namespace lpsnmr::efg
