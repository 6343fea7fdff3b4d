#include "core/dumps/dump_parser.h"

#include "arrays.h"
#include "exports.h"

#include <pybind11/stl.h>
#include <pybind11/typing.h>

namespace dumps = lpsnmr::dumps;
namespace py = pybind11;

namespace {

py::object next_frame(dumps::Parser &parser) {
  dumps::Frame frame;
  bool complete = false;
  {
    py::gil_scoped_release release;
    complete = parser.next(frame);
  }
  if (!complete) return py::none();
  const auto n = static_cast<py::ssize_t>(frame.id.size());
  DoubleArray cell({py::ssize_t{3}, py::ssize_t{3}});
  std::copy(frame.cell.begin(), frame.cell.end(), cell.mutable_data());
  py::object unwrapped = py::none();
  if (!frame.unwrapped.empty()) unwrapped = to_numpy(std::move(frame.unwrapped), {n, 3});
  return py::make_tuple(frame.step, frame.time, cell, frame.origin, frame.periodic,
                        to_numpy(std::move(frame.id), {n}), to_numpy(std::move(frame.kind), {n}),
                        to_numpy(std::move(frame.positions), {n, 3}), unwrapped);
}

} // namespace

void export_dump_parser(py::module_ &module) {
  py::class_<dumps::Parser>(module, "DumpParser", R"(Incremental parser of LAMMPS text dumps.

Columns are found by name: id, the first of `kind_columns` that is there (`type` holds integers, any
other one names), coordinates (xu, x, xsu or xs) and image flags.
)")
      .def(py::init<std::vector<std::string>>(),
           py::arg("kind_columns") = std::vector<std::string>{"element", "typelabel", "type"})
      .def(
          "feed",
          [](dumps::Parser &parser, const py::buffer &text) {
            const py::buffer_info info = text.request();
            if (info.itemsize != 1 || info.ndim != 1 || (info.size > 1 && info.strides[0] != 1))
              throw lpsnmr::Error("feed expects bytes");
            parser.feed(static_cast<const char *>(info.ptr), static_cast<std::size_t>(info.size));
          },
          py::arg("text"), "Add bytes of the dump, cut anywhere; they are copied.")
      .def("next", &next_frame, R"(Return the next frame, or None when its text is not complete yet.

Returns
-------
tuple or None
    step, time (NaN when not given), cell (3, 3) float64, origin, periodic, ids (n,) int64 ascending,
    kinds (n,) int32 (LAMMPS type, or index into `elements`), positions (n, 3) float64,
    unwrapped positions (n, 3) float64 or None. Lengths in the dump's distance unit.

Raises
------
CoreError
    For text that is not a dump; the message starts with "line N: ".
)")
      .def_property_readonly("pending", &dumps::Parser::pending,
                             "True when text of an unfinished frame is waiting.")
      .def_property_readonly("line", &dumps::Parser::line, "Lines consumed so far.")
      .def_property_readonly("frames", &dumps::Parser::frames, "Frames returned so far.")
      .def_property_readonly("has_elements", &dumps::Parser::has_elements,
                             "True when kinds index `elements`, False when they are LAMMPS types.")
      .def_property_readonly(
          "columns", [](const dumps::Parser &parser) { return to_str(parser.column_names()); },
          "ATOMS and the names of the columns of the last frame.")
      .def_property_readonly(
          "elements",
          [](const dumps::Parser &parser) {
            py::typing::List<py::str> names;
            for (const std::string &name : parser.elements()) names.append(to_str(name));
            return names;
          },
          "Element names in the order of first appearance.")
      .def_property_readonly(
          "units", [](const dumps::Parser &parser) { return to_str(parser.units()); },
          "Of an ITEM: UNITS line, or an empty string.");
}
