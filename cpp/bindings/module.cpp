#include "exports.h"

#include "error.h"

PYBIND11_MODULE(_core, module) {
  module.doc() = "Compiled core of lpsnmr.";
  module.attr("__version__") = LPSNMR_VERSION;
  // every lpsnmr::Error of the core becomes this Python exception, a ValueError
  pybind11::object base = pybind11::module_::import("lpsnmr.errors").attr("InputError");
  pybind11::register_exception<lpsnmr::Error>(module, "CoreError", base);
  export_neighbor_list(module);
  export_ufp(module);
  export_efg(module);
  export_correlators(module);
  export_ufp_features(module);
  export_dump_parser(module);
}
