#include "core/efg/efg_file.h"
#include "arrays.h"
#include "core/common/elements.h"
#include "exports.h"

#include <pybind11/stl.h>

#include <algorithm>

namespace efg = lpsnmr::efg;
namespace py = pybind11;

namespace {

py::tuple radial(const efg::Radial &radial) {
  return py::make_tuple(radial.count, radial.cutoff);
}

py::dict settings_of(const efg::Settings &s) {
  py::dict d;
  d["species"] = py::tuple(py::cast(s.species));
  d["bridges"] = py::tuple(py::cast(s.bridges));
  d["sources"] = py::tuple(py::cast(s.sources));
  d["pair"] = radial(s.pair);
  d["chain"] = radial(s.chain);
  d["bridge"] = radial(s.bridge);
  d["bridge_l_max"] = s.bridge_l_max;
  d["product"] = radial(s.product);
  d["product_l_max"] = s.product_l_max;
  d["product_degree_max"] = s.product_degree_max;
  d["triple"] = radial(s.triple);
  d["triple_l_max"] = s.triple_l_max;
  d["field_cutoff"] = s.field_cutoff;
  d["source"] = radial(s.source);
  return d;
}

/// Rows of numbers, all of one length, as one array.
py::array_t<double> rows_of(const std::vector<std::vector<double>> &rows, std::size_t length) {
  py::array_t<double> out(
      {static_cast<py::ssize_t>(rows.size()), static_cast<py::ssize_t>(length)});
  double *to = out.mutable_data();
  for (const std::vector<double> &row : rows) to = std::copy(row.begin(), row.end(), to);
  return out;
}

py::array_t<double> ranges_of(const std::vector<efg::EnvironmentRange> &ranges,
                              std::size_t n_species) {
  std::vector<std::vector<double>> rows;
  for (const efg::EnvironmentRange &range : ranges)
    rows.insert(rows.end(), {range.nearest, range.fewest, range.most});
  return rows_of(rows, n_species)
      .reshape({static_cast<py::ssize_t>(ranges.size()), py::ssize_t{3},
                static_cast<py::ssize_t>(n_species)});
}

py::dict target_of(const efg::ModelTarget &target, std::size_t n_species) {
  py::dict d;
  d["weights"] = rows_of({target.weights}, target.weights.size())
                     .reshape({static_cast<py::ssize_t>(target.weights.size())});
  d["target_range"] = rows_of(
      {target.environment.nearest, target.environment.fewest, target.environment.most}, n_species);
  d["bridge_ranges"] = ranges_of(target.bridge_environments, n_species);
  d["members"] = target.members.empty()
                     ? py::object(py::none())
                     : py::object(rows_of(target.members, target.weights.size()));
  d["floor"] = target.floor;
  return d;
}

py::dict parse(const py::bytes &content, const std::string &name) {
  const efg::EfgFile file = efg::parse_efg_file(content, name);
  py::dict targets;
  for (const efg::ModelTarget &target : file.targets)
    targets[lpsnmr::chemical_symbol(target.atomic_number)] =
        target_of(target, file.settings.species.size());
  py::dict d;
  d["settings"] = settings_of(file.settings);
  d["targets"] = targets;
  d["provenance"] = file.provenance;
  return d;
}

} // namespace

void export_efg_file(py::module_ &module) {
  module.def("parse_efg", &parse, py::arg("content"), py::arg("name"),
             R"(Return what an EFG model file holds.

Parameters
----------
content : bytes
    The whole file.
name : str
    Of the file, for messages.

Returns
-------
dict with "settings", the arguments of lpsnmr.efg.EfgSettings; "targets", a dict by chemical symbol of
dicts with the fields of lpsnmr.efg.files.TargetPart; "provenance", the text of a JSON object

Raises
------
CoreError for a file that is not complete, "name:line: what, expected, got"
)");
}
