#include "core/density/potential.h"

#include <algorithm>

namespace lpsnmr::density {
namespace {

int padded(int n) {
  return (n + 7) / 8 * 8;
}

ChannelTable channel_table(const Channel &channel, int species, int first) {
  ChannelTable table;
  table.species = species;
  table.first = first;
  table.functions = static_cast<int>(channel.functions.size());
  table.highest_l = channel.highest_l;
  table.start = channel.start;
  table.cutoff = channel.cutoff;
  table.width = (channel.cutoff - channel.start) / channel.intervals;
  table.cells_per_length = 1.0 / table.width;
  table.last_cell = channel.intervals + 1;
  const std::size_t functions = channel.functions.size(),
                    intervals = std::size_t(channel.intervals);
  table.cubic.assign((intervals + 2) * functions * 4, 0.0);
  for (std::size_t f = 0; f < functions; ++f) {
    const std::vector<double> cubics = interval_cubics(channel, channel.functions[f]);
    for (std::size_t s = 0; s < intervals; ++s)
      std::copy_n(&cubics[4 * s], 4, &table.cubic[((s + 1) * functions + f) * 4]);
  }
  return table;
}

/// Sort the coefficients of a block into arrays over products.
void lay_out_products(const Block &block, BlockTable &table) {
  const Terms terms(block);
  for (int l = 0; l < 3; ++l) {
    table.members[l] = static_cast<int>(terms.members[std::size_t(l)].size());
    table.stride[l] = padded(table.members[l]);
  }
  for (std::size_t m = terms.products.size(); m-- > 0;)
    table.products[terms.products[m].l] = static_cast<int>(m);
  table.product_count = padded(static_cast<int>(terms.products.size()));
  table.pairs.assign(std::size_t(table.product_count), 0.0);
  if (block.four_body) table.cubes.assign(std::size_t(terms.functions) * table.product_count, 0.0);
  for (std::size_t t = 0; t < terms.terms.size(); ++t) {
    const Terms::Term &term = terms.terms[t];
    const std::size_t product = std::size_t(term.product);
    if (term.function < 0)
      table.pairs[product] = block.coefficients[t];
    else
      table.cubes[std::size_t(term.function) * table.product_count + product] =
          block.coefficients[t];
  }
}

} // namespace

Potential::Potential(const UfdFile &file, const std::vector<std::string> &elements)
    : species_(static_cast<int>(elements.size())), units_(file.units), blocks_(elements.size()),
      reach_(elements.size() * elements.size(), 0.0) {
  for (const Block &block : file.blocks) add_block(block, elements);
}

void Potential::add_block(const Block &block, const std::vector<std::string> &elements) {
  const auto species_of = [&](const std::string &name) {
    const auto found = std::find(elements.begin(), elements.end(), name);
    return found == elements.end() ? -1 : static_cast<int>(found - elements.begin());
  };
  const int center = species_of(block.center);
  if (center < 0) return;
  BlockTable table;
  lay_out_products(block, table);
  table.low = block.low;
  table.high = block.high;
  table.room = block.room;
  int first = 0, row[3] = {0, 0, 0};
  for (const Channel &channel : block.channels) {
    const int species = species_of(channel.element);
    const int functions = static_cast<int>(channel.functions.size());
    for (const RadialFunction &function : channel.functions) {
      table.full.push_back(function.full);
      table.gone.push_back(function.gone);
    }
    if (species >= 0) {
      table.channels.push_back(channel_table(channel, species, first));
      std::copy_n(row, 3, table.channels.back().row);
      double &reach = reach_[std::size_t(center) * species_ + species];
      reach = std::max(reach, channel.cutoff);
    }
    first += functions;
    for (int l = 0; l <= channel.highest_l; ++l) row[l] += functions;
  }
  blocks_[std::size_t(center)].push_back(std::move(table));
}

double Potential::max_cutoff() const {
  return reach_.empty() ? 0.0 : *std::max_element(reach_.begin(), reach_.end());
}

} // namespace lpsnmr::density
