// The features one by one, as a fit needs them.
#pragma once

#include "core/efg/basis.h"
#include "core/neighbors/neighbor_list.h"
#include "core/neighbors/system.h"
#include "core/simd/instructions.h"

#include <vector>

namespace lpsnmr::efg {

/// Describe a bridge by its density, the products of its density and the field there.
///
/// The target itself is one of the bridge's neighbours and counts like any other: a bridge has one
/// descriptor, whoever asks.
///
/// @param neighbors   within bridge_cutoff()
/// @param field       (basis.field_channels(), 3) as Field::sum gives it
/// @param descriptor  (basis.descriptor_size()), overwritten
void describe_bridge(const Basis &basis, const neighbors::Neighborhood &neighbors,
                     const double *field, double *descriptor, simd::Instructions instructions);

/// Write the features of one target.
///
/// @param neighbors    within target_cutoff(); `slot` picks the bridge's descriptor
/// @param descriptors  (slots, descriptor_size())
/// @param features     (5, size()), overwritten; rows are m = −2 … 2
void target_features(const Basis &basis, const neighbors::Neighborhood &neighbors,
                     const double *descriptors, double *features, simd::Instructions instructions);

/// Features of chosen atoms of a system.
///
/// @param numbers  (system.size) atomic numbers
/// @param targets  atom indices
/// @return         (targets, 5, size())
/// @throws Error   for an unknown element, a bad index, or two atoms in one place
std::vector<double> system_features(const Basis &basis, const neighbors::System &system,
                                    const int *numbers, const std::vector<int> &targets,
                                    simd::Instructions instructions = simd::chosen_instructions());

} // namespace lpsnmr::efg
