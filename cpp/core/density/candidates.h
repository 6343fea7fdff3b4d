// Candidate neighbours of many centres, sorted by species as Kernel reads them; made anew
// when a neighbour list is.
#pragma once

#include "core/density/kernel.h"

#include <cstddef>
#include <vector>

namespace lpsnmr::density {

class CandidateLists {
public:
  void clear();

  /// Append a centre; one without terms gets an empty list.
  ///
  /// @param neighbors indices into atoms, each with a species of the potential
  /// @param skin      how much nearer an atom may come before the lists are made anew, Å
  void add(const Potential &potential, const ufp::Atom *atoms, const ufp::Atom &center,
           const int *neighbors, int count, double skin);

  std::size_t size() const { return start_.size(); }
  Candidates operator[](std::size_t k) const {
    return {index_.data() + start_[k], first_.data() + k * stride_};
  }
  double memory_usage() const;

private:
  std::vector<int> index_;
  std::vector<std::size_t> start_;
  std::vector<int> first_; // (centre, species + 1)
  std::size_t stride_ = 0;
  std::vector<std::vector<int>> groups_; // (species), work space
};

} // namespace lpsnmr::density
