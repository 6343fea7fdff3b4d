#include "arrays.h"
#include "core/ufp/features.h"
#include "core/ufp/uf3_file.h"
#include "exports.h"

#include <pybind11/stl.h>

namespace neighbors = lpsnmr::neighbors;
namespace ufp = lpsnmr::ufp;
namespace py = pybind11;

namespace {

using PairTuple = std::tuple<int, int, std::vector<double>>;
using TripleTuple =
    std::tuple<int, int, int, std::vector<double>, std::vector<double>, std::vector<double>>;

ufp::Basis make_basis(int species, const std::vector<PairTuple> &pairs,
                      const std::vector<TripleTuple> &triples) {
  std::vector<ufp::PairKnots> two;
  std::vector<ufp::TripletKnots> three;
  for (const auto &[a, b, knots] : pairs) two.push_back({{a, b}, knots});
  for (const auto &[a, b, c, ij, ik, jk] : triples) three.push_back({{a, b, c}, ij, ik, jk});
  return ufp::Basis(species, two, three);
}

py::array_t<double> features(const ufp::Basis &basis, const DoubleArray &positions,
                             const DoubleArray &cell, const std::array<bool, 3> &pbc,
                             const std::vector<int> &species) {
  const neighbors::System system = view_system(positions, cell, pbc);
  const auto rows = static_cast<py::ssize_t>(ufp::feature_rows(system.size));
  py::array_t<double> out({static_cast<py::ssize_t>(basis.columns()), rows});
  double *data = out.mutable_data();
  {
    py::gil_scoped_release release;
    ufp::evaluate_features(basis, system, species, data);
  }
  return out;
}

py::array_t<int> triple_columns(const ufp::Basis &basis, std::size_t block) {
  const ufp::Basis::Triple &triple = basis.triples().at(block);
  std::vector<int> copy = triple.column;
  return to_numpy(std::move(copy), {triple.grid_ij.functions(), triple.grid_ik.functions(),
                                    triple.grid_jk.functions()});
}

py::dict read_file(const std::string &path) {
  ufp::Uf3File file = ufp::read_uf3(path);
  py::list pairs, triples;
  for (auto &block : file.pairs) {
    const auto n = static_cast<py::ssize_t>(block.coefficients.size());
    pairs.append(py::make_tuple(block.elements, block.cutoff, block.knots,
                                to_numpy(std::move(block.coefficients), {n})));
  }
  for (auto &block : file.triples) {
    const auto size = [](const std::vector<double> &knots) {
      return static_cast<py::ssize_t>(knots.size()) - 4;
    };
    triples.append(py::make_tuple(
        block.elements, py::make_tuple(block.cutoff_ij, block.cutoff_ik, block.cutoff_jk),
        py::make_tuple(block.knots_ij, block.knots_ik, block.knots_jk),
        to_numpy(std::move(block.coefficients),
                 {size(block.knots_ij), size(block.knots_ik), size(block.knots_jk)})));
  }
  py::dict out;
  out["units"] = file.units;
  out["pairs"] = pairs;
  out["triples"] = triples;
  return out;
}

} // namespace

void export_ufp_features(py::module_ &module) {
  module.def("read_uf3_blocks", &read_file, py::arg("path"),
             R"(Return units, pairs and triples of a .uf3 file as plain Python values.

pairs: (elements, cutoff, knots, coefficients (n,)); triples: (elements, cutoffs, knots, coefficients
(n_ij, n_ik, n_jk)), cutoffs and knots in the order ij, ik, jk.)");
  py::class_<ufp::Basis>(module, "UfpBasis", "The UFP as a linear model of its coefficients.")
      .def(py::init(&make_basis), py::arg("species"), py::arg("pairs"), py::arg("triples"),
           R"(Number the coefficients.

Parameters
----------
species : int, number of species
pairs : list of (a, b, knots), knots in Å, the last one the cutoff
triples : list of (centre, j, k, knots_ij, knots_ik, knots_jk); those not given have no V3

Raises
------
CoreError for a pair that is missing, and a pair or triple given twice or out of range
)")
      .def_property_readonly("columns", &ufp::Basis::columns)
      .def_property_readonly("cutoff", &ufp::Basis::cutoff, "Å")
      .def(
          "pair_columns",
          [](const ufp::Basis &self, std::size_t block) {
            return std::make_pair(self.pairs().at(block).first_column,
                                  self.pairs().at(block).columns);
          },
          py::arg("block"), "First column and number of columns of a pair block.")
      .def("triple_columns", &triple_columns, py::arg("block"),
           "Column of each coefficient [ij][ik][jk] of a triple block, -1 where it is zero.")
      .def(
          "features", &features, py::arg("positions"), py::arg("cell"), py::arg("pbc"),
          py::arg("species"),
          R"(Return (columns, 7 + 3 n): energy, virial xx yy zz xy xz yz (eV), forces (eV/Å) per unit
coefficient.)");
}
