#include "core/efg/chain.h"

#include "core/common/error.h"
#include "core/efg/expansion.h"

#include <algorithm>
#include <cmath>

#define LPSNMR_LOOPS "core/efg/chain_loops.h"
#define LPSNMR_LOOPS_NAMESPACE efg
#include "core/simd/versions.h"

namespace lpsnmr::efg {
namespace {

constexpr int lanes = ChainCoupling::lanes;

} // namespace

ChainCoupling::ChainCoupling(const Basis &basis, std::size_t row, simd::Instructions instructions)
    : function_(LPSNMR_VERSION(add_chains, instructions)), radial_(basis.settings().chain),
      row_(row) {
  if (row > ChainPlan::max_row) throw Error("bridge_l_max is too high for the predictor");
  for (const DegreePair &pair : basis.chain_pairs()) l_max_ = std::max(l_max_, pair.l1);
  for (int c = 0; c < 5; ++c) {
    int begin = 0;
    for (const DegreePair &pair : basis.chain_pairs()) {
      for (const CouplingTerm &t : pair.terms)
        if (t.c == c)
          terms_.push_back({(pair.l1 * pair.l1 + t.a) * lanes, (begin + t.b) * lanes, t.value});
      begin += 2 * pair.l2 + 1;
    }
    ends_[c] = terms_.size();
  }
}

void ChainCoupling::add(const neighbors::Neighborhood &neighbors, const double *contracted,
                        double *components) const {
  function_({radial_, l_max_, row_, terms_.data(), ends_}, neighbors, contracted, components);
}

} // namespace lpsnmr::efg
