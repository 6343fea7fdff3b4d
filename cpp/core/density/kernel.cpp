#include "core/density/kernel.h"

#include <algorithm>

#define LPSNMR_LOOPS "core/density/center_loops.h"
#define LPSNMR_LOOPS_NAMESPACE density
#include "core/simd/versions.h"

namespace lpsnmr::density {

Kernel::Kernel(const Potential &potential, simd::Instructions instructions)
    : potential_(potential), function_(LPSNMR_VERSION(evaluate_center, instructions)) {
  constexpr std::size_t padding = 8; // a whole vector may be read or written from any entry
  std::size_t products = 0, moments = 0, square = 0;
  for (int a = 0; a < potential_.species(); ++a)
    for (const BlockTable &block : potential_.blocks(a)) {
      most_functions_ = std::max(most_functions_, block.full.size());
      products = std::max(products, std::size_t(block.product_count));
      moments = std::max(moments,
                         std::size_t(block.stride[0] + 3 * block.stride[1] + 6 * block.stride[2]));
      square = std::max(square, block.full.size() * std::size_t(block.stride[0]));
    }
  center_.begin.assign(std::size_t(potential_.species()), 0);
  center_.end = center_.begin;
  center_.products.assign(products + padding, 0.0);
  center_.weights.assign(products + padding, 0.0);
  center_.moments.assign(moments + padding, 0.0);
  center_.adjoints.assign(moments + padding, 0.0);
  center_.square.assign(square + padding, 0.0);
  make_room(64);
}

void Kernel::make_room(std::size_t neighbors) {
  // each species begins at a multiple of eight, and a whole vector is written behind the last one
  const std::size_t least = neighbors + 8 * std::size_t(potential_.species()) + 8;
  const std::size_t room = (std::max(least, 2 * center_.room) + 7) / 8 * 8;
  for (AlignedVector<double> *array :
       {&center_.force_x, &center_.force_y, &center_.force_z, &center_.x, &center_.y, &center_.z,
        &center_.squared, &center_.distance, &center_.inverse, &center_.unit_x, &center_.unit_y,
        &center_.unit_z})
    array->resize(room, 0.0);
  center_.index.resize(room, 0);
  center_.value.resize(room * most_functions_, 0.0);
  center_.slope.resize(room * most_functions_, 0.0);
  center_.room = room;
}

const Center &Kernel::evaluate(const ufp::Atom *atoms, const ufp::Atom &center,
                               const Candidates &candidates, bool virial_wanted) {
  const std::size_t species = std::size_t(potential_.species());
  const std::size_t total = std::size_t(candidates.first[species] - candidates.first[0]);
  if (total + 8 * species + 8 > center_.room) make_room(total);
  function_({&potential_, atoms, &center, &candidates, virial_wanted}, center_);
  return center_;
}

double Kernel::memory_usage() const {
  return double(center_.room) * (12.5 + 2.0 * double(most_functions_)) * sizeof(double);
}

} // namespace lpsnmr::density
