#include "core/grades/extrapolation.h"
#include "arrays.h"
#include "core/common/sha256.h"
#include "core/neighbors/search.h"
#include "core/text/read_text.h"
#include "exports.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <mutex>

namespace density = lpsnmr::density;
namespace grades = lpsnmr::grades;
namespace neighbors = lpsnmr::neighbors;
namespace text = lpsnmr::text;
namespace ufp = lpsnmr::ufp;
namespace py = pybind11;

namespace {

/// Call `use(center, neighbors)` for every atom.
template <typename Use>
void for_each_site(int known, double cutoff, const neighbors::System &system,
                   const std::vector<int> &species, Use use) {
  if (species.size() != system.size)
    throw lpsnmr::Error("species: expected " + std::to_string(system.size) + " entries, got " +
                        std::to_string(species.size()));
  for (const int s : species)
    if (s < 0 || s >= known)
      throw lpsnmr::Error("species: expected 0 .. " + std::to_string(known - 1) + ", got " +
                          std::to_string(s));
  const neighbors::NeighborList list = neighbors::build_neighbor_list(system, cutoff);
  const std::vector<int> entry_species = list.species_of_entries(species);
  for (std::size_t i = 0; i < system.size; ++i) use(i, list.around(i, entry_species.data()));
}

py::array_t<double> site_features(const ufp::Basis &basis, const DoubleArray &positions,
                                  const DoubleArray &cell, const std::array<bool, 3> &pbc,
                                  const std::vector<int> &species) {
  const neighbors::System system = view_system(positions, cell, pbc);
  const auto columns = static_cast<std::size_t>(basis.columns());
  std::vector<double> out(system.size * columns, 0.0);
  {
    py::gil_scoped_release release;
    ufp::SiteFeatures row(basis);
    for_each_site(basis.species(), basis.cutoff(), system, species,
                  [&](std::size_t i, const neighbors::Neighborhood &around) {
                    row.evaluate(species[i], around);
                    for (const int column : row.touched())
                      out[i * columns + std::size_t(column)] = row[column];
                  });
  }
  return to_numpy(std::move(out),
                  {static_cast<py::ssize_t>(system.size), static_cast<py::ssize_t>(columns)});
}

py::array_t<double> density_site_features(const density::Basis &basis, const DoubleArray &positions,
                                          const DoubleArray &cell, const std::array<bool, 3> &pbc,
                                          const std::vector<int> &species) {
  const neighbors::System system = view_system(positions, cell, pbc);
  const auto columns = static_cast<std::size_t>(basis.columns());
  std::vector<double> out(system.size * columns, 0.0);
  if (basis.cutoff() > 0.0) {
    py::gil_scoped_release release;
    density::SiteFeatures site;
    for_each_site(basis.species(), basis.cutoff(), system, species,
                  [&](std::size_t i, const neighbors::Neighborhood &around) {
                    for (const density::Basis::BlockColumns &block : basis.blocks()) {
                      if (block.center != species[i]) continue;
                      site.evaluate(block, around);
                      std::copy(site.terms().begin(), site.terms().end(),
                                out.begin() +
                                    std::ptrdiff_t(i * columns + std::size_t(block.first_column)));
                    }
                  });
  }
  return to_numpy(std::move(out),
                  {static_cast<py::ssize_t>(system.size), static_cast<py::ssize_t>(columns)});
}

/// The evaluator has work space, so threads of one Python object take turns.
struct SharedExtrapolation {
  explicit SharedExtrapolation(const std::string &path)
      : evaluator(grades::parse_ufx(text::read_text(path, "extrapolation file"), path)) {}
  grades::Extrapolation evaluator;
  std::mutex turn;
};

py::array_t<double> grade_sites(SharedExtrapolation &self, const DoubleArray &positions,
                                const DoubleArray &cell, const std::array<bool, 3> &pbc,
                                const std::vector<int> &species) {
  const neighbors::System system = view_system(positions, cell, pbc);
  std::vector<double> out;
  {
    py::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(self.turn);
    self.evaluator.discard(); // of a call that an error ended
    for_each_site(self.evaluator.species(), self.evaluator.cutoff(), system, species,
                  [&](std::size_t i, const neighbors::Neighborhood &around) {
                    self.evaluator.add(species[i], around);
                  });
    for (const grades::SiteGrade &site : self.evaluator.finish())
      out.insert(out.end(), {site.excess, site.deviation, site.grade});
  }
  return to_numpy(std::move(out), {static_cast<py::ssize_t>(system.size), 3});
}

py::list pairs(const SharedExtrapolation &self) {
  py::list out;
  const grades::UfxFile &file = self.evaluator.file();
  for (std::size_t p = 0; p < file.pairs.size(); ++p)
    out.append(
        py::make_tuple(file.pairs[p].species[0], file.pairs[p].species[1], file.shortest[p]));
  return out;
}

py::list deviations(const SharedExtrapolation &self) {
  py::list out;
  for (const auto &part : self.evaluator.file().certainty) out.append(part.largest_deviation);
  return out;
}

} // namespace

void export_extrapolation(py::module_ &module) {
  module.def(
      "sha256", [](const py::bytes &text) { return lpsnmr::sha256(text); }, py::arg("text"),
      "SHA-256 of bytes, hexadecimal.");
  module.def("site_features", &site_features, py::arg("basis"), py::arg("positions"),
             py::arg("cell"), py::arg("pbc"), py::arg("species"),
             R"(Return (n, columns): energy of each atom (eV) per unit coefficient.

Below a first knot the splines go on as straight lines.)");
  module.def(
      "density_site_features", &density_site_features, py::arg("basis"), py::arg("positions"),
      py::arg("cell"), py::arg("pbc"), py::arg("species"),
      R"(Return (n, columns): density energy of each atom (eV) per unit coefficient, not faded.)");
  py::class_<SharedExtrapolation>(module, "Extrapolation",
                                  "How far neighbourhoods lie outside the training of a potential.")
      .def(py::init<const std::string &>(), py::arg("path"), R"(Read a .ufx file.

Raises
------
CoreError for a file that is not complete
)")
      .def_property_readonly(
          "elements",
          [](const SharedExtrapolation &self) { return self.evaluator.file().elements; })
      .def_property_readonly(
          "potential",
          [](const SharedExtrapolation &self) { return self.evaluator.file().potential; },
          "SHA-256 of the .uf3 file.")
      .def_property_readonly(
          "cutoff", [](const SharedExtrapolation &self) { return self.evaluator.cutoff(); }, "Å")
      .def_property_readonly("pairs", &pairs,
                             "(a, b, shortest distance of training in Å) of each pair of elements.")
      .def_property_readonly("largest_deviations", &deviations,
                             "For each element, the deviation (eV) that has the grade 1.")
      .def("evaluate", &grade_sites, py::arg("positions"), py::arg("cell"), py::arg("pbc"),
           py::arg("species"),
           "Return (n, 3): distance excess (Å), deviation of the site energy (eV), grade.");
}
