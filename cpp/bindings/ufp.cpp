#include "arrays.h"
#include "exports.h"
#include "ufp_system.h"
#include "ufp_tables.h"

#include <pybind11/stl.h>

namespace py = pybind11;
using lpsnmr::BodyOrder;
using lpsnmr::UfpPotential;

namespace {

UfpPotential load(const std::string &path, const std::vector<std::string> &elements, int order) {
  if (order != 2 && order != 3)
    throw lpsnmr::Error("body order: expected 2 or 3, got " + std::to_string(order));
  UfpPotential potential(lpsnmr::read_potential(path), elements, static_cast<BodyOrder>(order));
  try {
    lpsnmr::UfpTables{potential}; // what compute lays out: too much of it is found here
  } catch (const lpsnmr::Error &error) {
    throw lpsnmr::Error(path + ": " + error.what());
  }
  return potential;
}

py::dict compute(const UfpPotential &potential, const DoubleArray &positions,
                 const DoubleArray &cell, const std::array<bool, 3> &pbc,
                 const std::vector<int> &species) {
  const lpsnmr::System system = view_system(positions, cell, pbc);
  lpsnmr::UfpResult result;
  {
    py::gil_scoped_release release;
    result = lpsnmr::evaluate_ufp(potential, system, species);
  }
  const auto n = static_cast<py::ssize_t>(system.size);
  py::dict out;
  out["energy"] = result.energy;
  out["atom_energy"] = to_numpy(std::move(result.atom_energy), {n});
  out["forces"] = to_numpy(std::move(result.forces), {n, 3});
  out["virial"] = to_numpy(std::vector<double>(result.virial.begin(), result.virial.end()), {6});
  out["short_range_pairs"] = result.short_range_pairs;
  out["triplets"] = result.triplets;
  return out;
}

} // namespace

void export_ufp(py::module_ &module) {
  module.def(
      "available_simd",
      [] {
        std::vector<std::string> names;
        for (lpsnmr::Instructions version : lpsnmr::available_instructions())
          names.push_back(lpsnmr::name(version));
        return names;
      },
      "Names that LPSNMR_SIMD may have on this processor, the best first.");
  py::class_<UfpPotential>(module, "UfpPotential",
                           "A UF2 or UF2+3 potential read from a .uf3 file.")
      .def(py::init(&load), py::arg("path"), py::arg("elements"), py::arg("body_order") = 3,
           R"(Read a potential.

Parameters
----------
path : str
elements : list of str; species 0, 1, ... of ``compute``
body_order : 2 or 3

Raises
------
CoreError for a file that is not a complete potential of these elements
)")
      .def_property_readonly("elements", &UfpPotential::elements)
      .def_property_readonly("units", &UfpPotential::units)
      .def_property_readonly("max_cutoff", &UfpPotential::max_cutoff, "Å")
      .def(
          "pair_energy",
          [](const UfpPotential &self, int a, int b, double r) {
            if (a < 0 || b < 0 || a >= self.species() || b >= self.species())
              throw lpsnmr::Error("species out of range");
            if (r >= self.pair(a, b).cutoff()) return std::make_pair(0.0, 0.0);
            double slope;
            const double value = self.pair(a, b).evaluate(r, slope);
            return std::make_pair(value, slope);
          },
          py::arg("a"), py::arg("b"), py::arg("r"),
          "V2 of the ordered pair (half a dimer's energy, eV) and its slope (eV/Å).")
      .def(
          "compute", &compute, py::arg("positions"), py::arg("cell"), py::arg("pbc"),
          py::arg("species"),
          R"(Return energy (eV), atom_energy (n,), forces (n, 3; eV/Å), virial (6: xx yy zz xy xz yz; eV)
and the number of ordered pairs below the first knot, as a dict.

Raises
------
CoreError for an LPSNMR_SIMD that this processor lacks
)");
}
