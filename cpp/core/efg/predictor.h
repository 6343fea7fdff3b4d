// EFG tensors from a fitted model, with the weights contracted before the loop over neighbours.
#pragma once

#include "core/efg/basis.h"
#include "core/efg/bridge.h"
#include "core/efg/chain.h"
#include "core/efg/field.h"
#include "core/efg/neighborhoods.h"
#include "core/simd/instructions.h"

#include <limits>
#include <optional>
#include <vector>

namespace lpsnmr::efg {

/// What surroundings of one kind of atom the model was trained on, per neighbour species.
struct EnvironmentRange {
  std::vector<double> nearest;      ///< (species) shortest distance seen, Å
  std::vector<double> fewest, most; ///< (species) smooth coordination numbers seen
};

/// Reasons why a prediction is outside the range of the training data; bits of a flag.
enum Flag : unsigned char {
  target_too_near = 1,     ///< a neighbour of the target nearer than any in training
  target_coordination = 2, ///< smooth coordination of the target outside the range of training
  bridge_too_near = 4,     ///< as the first, at a bridge that reaches the target
  bridge_coordination = 8, ///< as the second, at a bridge that reaches the target
};

/// Nearest distance and smooth coordination number Σ (1 − r²/r_c²)³ per species.
///
/// @param nearest,coordination  (n_species), overwritten; no neighbour: infinity and 0
void summarize_environment(const neighbors::Neighborhood &neighbors, int n_species, double cutoff,
                           double *nearest, double *coordination);

constexpr int pair_lanes = 4; ///< neighbours of a target that are evaluated together

/// A fitted model of one target species. Immutable, safe to use from several threads.
class Predictor {
public:
  /// @param weights  (basis.size()), V/Å² per unit of feature
  /// @param target   range of the targets (cutoff of the pair term); empty vectors: no check
  /// @param bridges  ranges by bridge species (cutoff of the bridge term)
  /// @throws Error   for weights or ranges of the wrong length or not finite
  Predictor(Basis basis, const std::vector<double> &weights, EnvironmentRange target,
            std::vector<EnvironmentRange> bridges,
            simd::Instructions instructions = simd::chosen_instructions());

  const Basis &basis() const { return basis_; }

  /// Numbers in the contracted form of one bridge.
  std::size_t contracted_size() const { return bridge_.size(); }

  /// Kernel: contract the descriptor of a bridge with the weights of its species.
  ///
  /// @param bridge      position in Settings::bridges
  /// @param contracted  (contracted_size()), overwritten
  /// @return            Flag bits of the bridge
  unsigned char contract_bridge(int bridge, const neighbors::Neighborhood &neighbors,
                                double *contracted) const;

  /// What makes the field at the bridges; nullptr when the model has none. `describe_source` of it
  /// is the kernel that comes before `add_field`.
  const Field *field() const { return field_ ? &*field_ : nullptr; }

  /// Kernel: add the field at a bridge to its contracted form.
  ///
  /// @param neighbors   within settings.field_cutoff; `slot` picks the source
  /// @param sources     (slots, field()->source_size())
  void add_field(int bridge, const neighbors::Neighborhood &neighbors, const double *sources,
                 double *contracted) const;

  /// Kernel: the tensor of one target.
  ///
  /// @param contracted  (slots, contracted_size()) of the bridges, picked by `neighbors.slot`
  /// @param bridge_flags (slots) flags of the bridges
  /// @param components  (5), overwritten, V/Å²
  /// @return            Flag bits
  unsigned char predict_target(const neighbors::Neighborhood &neighbors, const double *contracted,
                               const unsigned char *bridge_flags, double *components) const;

  /// Loop: components of chosen atoms of a system.
  ///
  /// @param numbers     (system.size) atomic numbers
  /// @param components  (targets, 5), overwritten, V/Å²
  /// @param flags       (targets), overwritten, Flag bits; may be nullptr
  /// @param threads     at least 1
  /// @throws Error      see system_features
  void predict(const neighbors::System &system, const int *numbers, const std::vector<int> &targets,
               double *components, unsigned char *flags, int threads = 1) const;

private:
  void add_triples(const neighbors::Neighborhood &neighbors, double *components) const;
  void contract_bridges(const Neighborhoods &neighbors, const int *numbers, int threads,
                        std::vector<double> &contracted, std::vector<unsigned char> &flags) const;

  using Pairs = void (*)(const neighbors::Neighborhood &, const Radial &, const double *, double *,
                         double *);
  using Triples = void (*)(const std::vector<DegreePair> &, const double *, std::size_t,
                           const double *, double *, double *);
  simd::Instructions instructions_;
  Pairs pairs_;
  Triples triples_;
  Basis basis_;
  BridgeContraction bridge_;
  ChainCoupling chain_;
  std::optional<Field> field_;
  std::vector<double> pair_weights_;   // (species, n)
  std::vector<double> triple_weights_; // (pair of degrees, channel', channel), full rectangle
  EnvironmentRange target_range_;
  std::vector<EnvironmentRange> bridge_ranges_;
};

} // namespace lpsnmr::efg
