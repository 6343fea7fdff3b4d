#include "arrays.h"
#include "core/density/features.h"
#include "core/density/system.h"
#include "core/text/read_text.h"
#include "core/ufp/features.h"
#include "exports.h"

#include <pybind11/stl.h>

namespace density = lpsnmr::density;
namespace neighbors = lpsnmr::neighbors;
namespace text = lpsnmr::text;
namespace ufp = lpsnmr::ufp;
namespace py = pybind11;

namespace {

using FunctionTuple = std::tuple<double, double, std::vector<double>>;
using ChannelTuple = std::tuple<std::string, int, double, double, int, std::vector<FunctionTuple>>;
using BlockTuple = std::tuple<std::string, int, std::vector<ChannelTuple>>;

density::Block make_block(const BlockTuple &given) {
  density::Block block;
  block.center = std::get<0>(given);
  block.three_body = std::get<1>(given) != 4;
  block.four_body = std::get<1>(given) != 3;
  for (const auto &[element, highest_l, start, cutoff, intervals, functions] : std::get<2>(given)) {
    density::Channel channel{element, highest_l, start, cutoff, intervals, {}};
    if (highest_l < 0 || highest_l > 2 || intervals < 4 || !(cutoff > start))
      throw lpsnmr::Error(
          "density channel: expected l of 0 to 2, at least 4 intervals and a cutoff "
          "beyond the first knot");
    for (const auto &[full, gone, coefficients] : functions) {
      if (static_cast<int>(coefficients.size()) != intervals - 3)
        throw lpsnmr::Error(
            "density function: expected intervals - 3 = " + std::to_string(intervals - 3) +
            " coefficients, got " + std::to_string(coefficients.size()));
      channel.functions.push_back({full, gone, coefficients});
    }
    block.channels.push_back(std::move(channel));
  }
  return block;
}

density::Basis make_basis(const std::vector<std::string> &elements,
                          const std::vector<BlockTuple> &given) {
  std::vector<density::Block> blocks;
  for (const BlockTuple &block : given) blocks.push_back(make_block(block));
  return density::Basis(elements, std::move(blocks));
}

py::tuple features(const density::Basis &basis, const DoubleArray &positions,
                   const DoubleArray &cell, const std::array<bool, 3> &pbc,
                   const std::vector<int> &species) {
  const neighbors::System system = view_system(positions, cell, pbc);
  const auto rows = static_cast<py::ssize_t>(ufp::feature_rows(system.size));
  py::array_t<double> out({static_cast<py::ssize_t>(basis.columns()), rows});
  double *data = out.mutable_data();
  std::vector<double> largest(static_cast<std::size_t>(basis.functions()), 0.0);
  {
    py::gil_scoped_release release;
    density::evaluate_features(basis, system, species, data, largest.data());
  }
  const auto n = static_cast<py::ssize_t>(largest.size());
  return py::make_tuple(out, to_numpy(std::move(largest), {n}));
}

py::array_t<double> site_energies(const density::Basis &basis, const DoubleArray &positions,
                                  const DoubleArray &cell, const std::array<bool, 3> &pbc,
                                  const std::vector<int> &species,
                                  const DoubleArray &coefficients) {
  const neighbors::System system = view_system(positions, cell, pbc);
  check_shape(coefficients, "coefficients", 1, basis.columns());
  std::vector<double> out;
  {
    py::gil_scoped_release release;
    out = density::site_energies(basis, system, species, coefficients.data());
  }
  return to_numpy(std::move(out), {static_cast<py::ssize_t>(system.size),
                                   static_cast<py::ssize_t>(basis.blocks().size())});
}

py::dict read_file(const std::string &path) {
  density::UfdFile file = density::parse_ufd(text::read_text(path, "density file"), path);
  py::list blocks;
  for (density::Block &block : file.blocks) {
    py::list channels;
    for (const density::Channel &c : block.channels) {
      py::list functions;
      for (const density::RadialFunction &f : c.functions)
        functions.append(py::make_tuple(f.full, f.gone, f.coefficients));
      channels.append(
          py::make_tuple(c.element, c.highest_l, c.start, c.cutoff, c.intervals, functions));
    }
    const int orders = block.three_body ? (block.four_body ? 34 : 3) : 4;
    const auto n = static_cast<py::ssize_t>(block.coefficients.size());
    blocks.append(py::make_tuple(block.center, orders, channels,
                                 to_numpy(std::move(block.coefficients), {n}),
                                 py::make_tuple(block.low, block.high, block.room)));
  }
  py::dict out;
  out["units"] = file.units;
  out["base"] = file.base;
  out["blocks"] = blocks;
  return out;
}

py::dict compute(const density::Potential &potential, const DoubleArray &positions,
                 const DoubleArray &cell, const std::array<bool, 3> &pbc,
                 const std::vector<int> &species) {
  const neighbors::System system = view_system(positions, cell, pbc);
  ufp::Result result;
  result.atom_energy.assign(system.size, 0.0);
  result.forces.assign(3 * system.size, 0.0);
  {
    py::gil_scoped_release release;
    density::add_terms(potential, system, species, result);
  }
  const auto n = static_cast<py::ssize_t>(system.size);
  py::dict out;
  out["energy"] = result.energy;
  out["atom_energy"] = to_numpy(std::move(result.atom_energy), {n});
  out["forces"] = to_numpy(std::move(result.forces), {n, 3});
  out["virial"] = to_numpy(std::vector<double>(result.virial.begin(), result.virial.end()), {6});
  return out;
}

} // namespace

void export_density(py::module_ &module) {
  module.def("read_ufd_blocks", &read_file, py::arg("path"),
             R"(Return units, base and blocks of a .ufd file as plain Python values.

blocks: (centre, body orders 3, 4 or 34, channels, coefficients (n,), bound (low, high, room)); channels: (element, highest l, first
knot, cutoff, intervals, functions); functions: (full, gone, coefficients (intervals - 3)).)");
  py::class_<density::Potential>(module, "DensityPotential", "Density terms read from a .ufd file.")
      .def(py::init([](const std::string &path, const std::vector<std::string> &elements) {
             return density::Potential(
                 density::parse_ufd(text::read_text(path, "density file"), path), elements);
           }),
           py::arg("path"), py::arg("elements"),
           R"(Read a file; elements: species 0, 1, ... of ``compute``.

Raises
------
CoreError for a file that is not complete
)")
      .def_property_readonly("max_cutoff", &density::Potential::max_cutoff, "Å")
      .def("compute", &compute, py::arg("positions"), py::arg("cell"), py::arg("pbc"),
           py::arg("species"),
           "Return energy (eV), atom_energy (n,), forces (n, 3; eV/Å) and virial (6; eV) of the "
           "density terms alone, as a dict.");
  py::class_<density::Basis>(module, "DensityBasis",
                             "Density terms as a linear model of their coefficients.")
      .def(py::init(&make_basis), py::arg("elements"), py::arg("blocks"),
           R"(Number the coefficients, block after block.

Parameters
----------
elements : list of str; species 0, 1, ... of ``features``
blocks : list of (centre, body orders, channels) as ``read_ufd_blocks`` returns them

Raises
------
CoreError for an unknown element and functions that do not fit their channel
)")
      .def_property_readonly("columns", &density::Basis::columns)
      .def_property_readonly("functions", &density::Basis::functions)
      .def_property_readonly("cutoff", &density::Basis::cutoff, "Å")
      .def(
          "block_columns",
          [](const density::Basis &self, std::size_t block) {
            const auto &chosen = self.blocks().at(block);
            return std::make_pair(chosen.first_column, static_cast<int>(chosen.terms.terms.size()));
          },
          py::arg("block"), "First column and number of columns of a block.")
      .def("site_energies", &site_energies, py::arg("positions"), py::arg("cell"), py::arg("pbc"),
           py::arg("species"), py::arg("coefficients"),
           "Return (n, blocks): energies of the atoms before any bound, eV.")
      .def("features", &features, py::arg("positions"), py::arg("cell"), py::arg("pbc"),
           py::arg("species"),
           R"(Return features and largest moments.

Features are (columns, 7 + 3 n): energy, virial xx yy zz xy xz yz (eV), forces (eV/Å) per unit coefficient;
the second array holds the largest scalar moment of each function over the atoms.)");
}
