#include "core/neighbors/search.h"

#include "arrays.h"
#include "core/neighbors/nearest_sites.h"
#include "exports.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <optional>

namespace neighbors = lpsnmr::neighbors;
namespace py = pybind11;

void export_neighbor_list(py::module_ &module) {
  module.def(
      "neighbor_list",
      [](const DoubleArray &positions, const DoubleArray &cell, const std::array<bool, 3> &pbc,
         double cutoff, const std::optional<std::vector<int>> &centers) {
        const neighbors::System system = view_system(positions, cell, pbc);
        neighbors::NeighborList list;
        {
          py::gil_scoped_release release;
          list = neighbors::build_neighbor_list(system, cutoff, centers ? &*centers : nullptr);
        }
        std::vector<long> first(list.first.begin(), list.first.end());
        const auto entries = static_cast<py::ssize_t>(list.index.size());
        const auto bounds = static_cast<py::ssize_t>(first.size());
        return py::make_tuple(to_numpy(std::move(first), {bounds}),
                              to_numpy(std::move(list.index), {entries}),
                              to_numpy(std::move(list.vector), {entries, 3}),
                              to_numpy(std::move(list.distance), {entries}));
      },
      py::arg("positions"), py::arg("cell"), py::arg("pbc"), py::arg("cutoff"),
      py::arg("centers") = py::none(),
      R"(Return the full neighbour list within a cutoff.

Parameters
----------
positions : (n, 3) float64 array, Å
cell : (3, 3) float64 array, rows are the cell vectors, Å
pbc : three bools
cutoff : float, Å
centers : sequence of atom indices, optional; all atoms by default

Returns
-------
first : (centers + 1,) int64 array; the entries of centre c are first[c]:first[c + 1]
index : (entries,) int32 array; atom index of the neighbour
vector : (entries, 3) float64 array; from centre to neighbour, Å
distance : (entries,) float64 array; Å
)");
  module.def(
      "nearest_sites",
      [](const DoubleArray &points, const DoubleArray &sites, const DoubleArray &cell) {
        check_shape(points, "points", 2, 3);
        check_shape(sites, "sites", 2, 3);
        check_shape(cell, "cell", 2, 3);
        if (cell.shape(0) != 3) throw lpsnmr::Error("cell must have the shape (3, 3)");
        if (sites.shape(0) == 0) throw lpsnmr::Error("sites must hold at least one site");
        const auto n = static_cast<std::size_t>(points.shape(0));
        std::vector<long> nearest(n);
        std::vector<double> distance(n);
        std::array<double, 9> vectors;
        std::copy_n(cell.data(), 9, vectors.begin());
        neighbors::nearest_sites(points.data(), n, sites.data(),
                                 static_cast<std::size_t>(sites.shape(0)), vectors, nearest.data(),
                                 distance.data());
        return py::make_tuple(to_numpy(std::move(nearest), {points.shape(0)}),
                              to_numpy(std::move(distance), {points.shape(0)}));
      },
      py::arg("points"), py::arg("sites"), py::arg("cell"),
      R"(Return the nearest site of every point of a periodic cell.

Parameters
----------
points : (n, 3) float64 array, fractional
sites : (s, 3) float64 array, fractional; s > 0
cell : (3, 3) float64 array, rows are the cell vectors, Å; not so skewed that the image nearest in
    fractional coordinates is not the nearest one

Returns
-------
nearest : (n,) int64 array; positions in ``sites``, the first of equally near ones
distance : (n,) float64 array; Å
)");
}
