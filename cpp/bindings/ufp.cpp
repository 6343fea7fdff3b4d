#include "arrays.h"
#include "core/ufp/system.h"
#include "core/ufp/tables.h"
#include "exports.h"

#include <pybind11/stl.h>

namespace neighbors = lpsnmr::neighbors;
namespace simd = lpsnmr::simd;
namespace ufp = lpsnmr::ufp;
namespace py = pybind11;

namespace {

ufp::Potential load(const std::string &path, const std::vector<std::string> &elements, int order) {
  if (order != 2 && order != 3)
    throw lpsnmr::Error("body order: expected 2 or 3, got " + std::to_string(order));
  ufp::Potential potential(ufp::read_uf3(path), elements, static_cast<ufp::BodyOrder>(order));
  try {
    ufp::Tables{potential}; // what compute lays out: too much of it is found here
  } catch (const lpsnmr::Error &error) {
    throw lpsnmr::Error(path + ": " + error.what());
  }
  return potential;
}

py::dict compute(const ufp::Potential &potential, const DoubleArray &positions,
                 const DoubleArray &cell, const std::array<bool, 3> &pbc,
                 const std::vector<int> &species) {
  const neighbors::System system = view_system(positions, cell, pbc);
  ufp::Result result;
  {
    py::gil_scoped_release release;
    result = ufp::evaluate_system(potential, system, species);
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
        for (simd::Instructions version : simd::available_instructions())
          names.push_back(simd::name(version));
        return names;
      },
      "Names that LPSNMR_SIMD may have on this processor, the best first.");
  py::class_<ufp::Potential>(module, "UfpPotential",
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
      .def_property_readonly("elements", &ufp::Potential::elements)
      .def_property_readonly("units", &ufp::Potential::units)
      .def_property_readonly("max_cutoff", &ufp::Potential::max_cutoff, "Å")
      .def(
          "pair_energy",
          [](const ufp::Potential &self, int a, int b, double r) {
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
