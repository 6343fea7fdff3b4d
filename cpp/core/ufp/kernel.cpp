#include "core/ufp/kernel.h"

#include <algorithm>

#define LPSNMR_LOOPS "core/ufp/center_loops.h"
#define LPSNMR_LOOPS_NAMESPACE ufp
#include "core/simd/versions.h"

namespace lpsnmr::ufp {

Kernel::Kernel(const Potential &potential, simd::Instructions instructions)
    : tables_(potential), blocks_(tables_), instructions_(instructions),
      function_(LPSNMR_VERSION(evaluate_center, instructions)) {
  center_.first.resize(std::size_t(tables_.species()) + 1);
  make_room(32);
}

void Kernel::make_room(std::size_t neighbors) {
  constexpr std::size_t padding = 8; // a whole vector may be read or written from any entry
  const std::size_t room = std::max(neighbors, 2 * center_.room), n = room + padding;
  for (AlignedVector<double> *array :
       {&center_.x, &center_.y, &center_.z, &center_.distance, &center_.inverse, &center_.force_x,
        &center_.force_y, &center_.force_z, &center_.species, &center_.weight, &center_.radial,
        &center_.squared})
    array->resize(n, 0.0);
  center_.index.resize(n, 0);
  const std::size_t grids = std::size_t(std::max(tables_.grids(), 1));
  center_.entry.resize(grids * room + padding, 0);
  center_.u.resize(grids * room + padding, 0.0);
  center_.room = room;
}

double Kernel::memory_usage() const {
  const std::size_t grids = std::size_t(tables_.grids());
  return blocks_.memory_usage() +
         double(center_.room) * (13.0 + double(grids) * 1.5) * sizeof(double);
}

} // namespace lpsnmr::ufp
