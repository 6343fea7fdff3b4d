// Candidate neighbours of many centres, ordered as UfpKernel reads them; made anew when a neighbour
// list is.
#pragma once

#include "ufp_kernel.h"

#include <cstddef>
#include <vector>

namespace lpsnmr {

class UfpCandidateLists {
public:
  void clear();

  /// Append a centre: sorts its neighbours into three-body candidates, by species, and the others.
  ///
  /// @param neighbors indices into atoms, each with a species of the potential
  /// @param skin      how much nearer an atom may come before the lists are made anew, Å
  void add(const UfpPotential &potential, const UfpAtom *atoms, const UfpAtom &center,
           const int *neighbors, int count, double skin);

  std::size_t size() const { return bounds_.size(); }
  UfpCandidates operator[](std::size_t k) const {
    return {index_.data() + bounds_[k].begin, bounds_[k].near, bounds_[k].total};
  }
  double memory_usage() const;

private:
  struct Bounds {
    std::size_t begin;
    int near, total;
  };
  std::vector<int> index_;
  std::vector<Bounds> bounds_;
  std::vector<std::vector<int>> groups_; // (species + 1), work space
};

} // namespace lpsnmr
