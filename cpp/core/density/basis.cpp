#include "core/density/basis.h"

#include "core/common/error.h"

#include <algorithm>
#include <utility>

namespace lpsnmr::density {

Basis::Basis(const std::vector<std::string> &elements, std::vector<Block> blocks)
    : species_(static_cast<int>(elements.size())) {
  const auto species_of = [&](const std::string &name) {
    const auto found = std::find(elements.begin(), elements.end(), name);
    if (found == elements.end()) throw Error("density block: no element '" + name + "'");
    return static_cast<int>(found - elements.begin());
  };
  for (Block &given : blocks) {
    BlockColumns block{given, Terms(given), species_of(given.center), columns_, {}, {}};
    for (const Channel &channel : given.channels) {
      block.species.push_back(species_of(channel.element));
      cutoff_ = std::max(cutoff_, channel.cutoff);
      for (const RadialFunction &function : channel.functions)
        block.cubics.push_back(interval_cubics(channel, function));
    }
    columns_ += static_cast<int>(block.terms.terms.size());
    functions_ += block.terms.functions;
    blocks_.push_back(std::move(block));
  }
}

} // namespace lpsnmr::density
