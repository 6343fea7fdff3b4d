#include "core/correlation/echo_kernel.h"

#include <cmath>

#define LPSNMR_LOOPS "core/correlation/echo_loops.h"
#define LPSNMR_LOOPS_NAMESPACE correlation
#include "core/simd/versions.h"

namespace lpsnmr::correlation {

void sine_cosine(const double *angle, double factor, std::size_t n, double *sine, double *cosine,
                 simd::Instructions instructions) {
  LPSNMR_VERSION(trigonometry_row, instructions)(angle, factor, n, sine, cosine);
}

EchoScratch::EchoScratch(const EchoGrid &grid, std::size_t n, simd::Instructions instructions)
    : function_(LPSNMR_VERSION(add_all_products, instructions)), plan_(grid.n_times()),
      frequency_(n), now_(2 * grid.n_times() * n), then_(now_.size()) {
  for (std::size_t t = 0; t < plan_.size(); ++t)
    for (std::size_t a = 0; a < t && plan_[t].first < 0; ++a)
      for (std::size_t b = a; b < t; ++b)
        if (std::abs(grid.times[a] + grid.times[b] - grid.times[t]) <= 4e-16 * grid.times[t]) {
          plan_[t] = {static_cast<int>(a), static_cast<int>(b)};
          break;
        }
}

void add_echo_products(const EchoGrid &grid, const double *now, std::size_t n,
                       const std::vector<EchoPair> &pairs, double *keep, EchoScratch &scratch) {
  scratch.function_(grid, scratch.plan_, now, n, pairs, keep, scratch.frequency_.data(),
                    scratch.now_.data(), scratch.then_.data());
}

} // namespace lpsnmr::correlation
