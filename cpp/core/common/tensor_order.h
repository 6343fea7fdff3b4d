// The order in which the components of a tensor of rank 2 are kept, here and in LAMMPS.
#pragma once

namespace lpsnmr {

/// xx yy zz xy xz yz for a symmetric tensor; yx zx zy after them where all nine are kept.
constexpr int tensor_order[9][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2},
                                    {1, 2}, {1, 0}, {2, 0}, {2, 1}};

} // namespace lpsnmr
