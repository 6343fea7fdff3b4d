// Density terms as a linear model: rows of energy, virial and forces by columns of coefficients.
#pragma once

#include "core/density/basis.h"
#include "core/neighbors/system.h"

#include <vector>

namespace lpsnmr::density {

/// Derivatives of the rows of feature_rows() with respect to the coefficients.
///
/// @param out     (columns, rows) row-major, overwritten; owned by the caller
/// @param largest (functions) of all blocks, raised to the largest scalar moments met; may be null
/// @throws Error  for a species out of range or two atoms on one place
void evaluate_features(const Basis &basis, const neighbors::System &system,
                       const std::vector<int> &species, double *out, double *largest = nullptr);

/// Energies of the atoms, before any bound.
///
/// @param coefficients (columns) eV
/// @return (n, blocks) row-major, eV; zero for other centres
/// @throws Error       as evaluate_features()
std::vector<double> site_energies(const Basis &basis, const neighbors::System &system,
                                  const std::vector<int> &species, const double *coefficients);

} // namespace lpsnmr::density
