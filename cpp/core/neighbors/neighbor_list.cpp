#include "core/neighbors/neighbor_list.h"

#include "core/common/error.h"

#include <string>

namespace lpsnmr::neighbors {

std::vector<int> NeighborList::species_of_entries(const std::vector<int> &species) const {
  std::vector<int> out;
  out.reserve(index.size());
  for (const int atom : index) out.push_back(species[std::size_t(atom)]);
  return out;
}

void check_apart(const NeighborList &list) {
  for (std::size_t i = 0; i + 1 < list.first.size(); ++i)
    for (std::size_t e = list.first[i]; e < list.first[i + 1]; ++e)
      if (list.distance[e] < 1e-10)
        throw Error("atoms " + std::to_string(i) + " and " + std::to_string(list.index[e]) +
                    " are at the same place");
}

} // namespace lpsnmr::neighbors
