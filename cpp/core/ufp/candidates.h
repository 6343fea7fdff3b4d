// Candidate neighbours of many centres, ordered as Kernel reads them; made anew when a neighbour
// list is.
#pragma once

#include "core/ufp/kernel.h"

#include <cstddef>
#include <vector>

namespace lpsnmr::ufp {

class CandidateLists {
public:
  void clear();

  /// Append a centre: sorts its neighbours into three-body candidates, by species, and the others.
  ///
  /// @param neighbors indices into atoms, each with a species of the potential
  /// @param here      (count) whether both orders of a pair are summed here, or neither; null: one
  /// @param skin      how much nearer an atom may come before the lists are made anew, Å
  void add(const Potential &potential, const Atom *atoms, const Atom &center, const int *neighbors,
           const char *here, int count, double skin);

  std::size_t size() const { return bounds_.size(); }
  Candidates operator[](std::size_t k) const {
    const Bounds &at = bounds_[k];
    return {index_.data() + at.begin, weight_.data() + at.weights, at.far_weight, at.near,
            at.total};
  }
  double memory_usage() const;

private:
  struct Bounds {
    std::size_t begin, weights;
    double far_weight;
    int near, total;
  };
  std::vector<int> index_;
  std::vector<double> weight_; // of the three-body candidates
  std::vector<Bounds> bounds_;
  struct Member {
    int index;
    double weight;
  };
  std::vector<std::vector<Member>> groups_; // (species + 1), work space
};

} // namespace lpsnmr::ufp
