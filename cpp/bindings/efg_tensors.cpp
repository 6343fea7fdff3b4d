#include "arrays.h"
#include "core/efg/components.h"
#include "exports.h"

namespace efg = lpsnmr::efg;
namespace py = pybind11;

namespace {

/// Convert every row of an array of `from` columns to `to` columns.
template <typename Convert>
py::array_t<double> convert_rows(const DoubleArray &rows, const char *name, int from, int to,
                                 Convert convert) {
  check_shape(rows, name, 2, from);
  const py::ssize_t n = rows.shape(0);
  py::array_t<double> out({n, static_cast<py::ssize_t>(to)});
  for (py::ssize_t k = 0; k < n; ++k) convert(rows.data() + k * from, out.mutable_data() + k * to);
  return out;
}

} // namespace

void export_efg_tensors(py::module_ &module) {
  module.def(
      "efg_components",
      [](const DoubleArray &cartesian) {
        return convert_rows(cartesian, "cartesian", 6, 5, efg::components_of);
      },
      py::arg("cartesian"),
      "Return (n, 5): components, m = -2 ... 2, of tensors (n, 6) xx yy zz xy xz yz.");
  module.def(
      "efg_cartesian",
      [](const DoubleArray &components) {
        return convert_rows(components, "components", 5, 6, efg::cartesian_of);
      },
      py::arg("components"), "Return (n, 6) xx yy zz xy xz yz; the reverse of efg_components.");
}
