#include "exports.h"

#include "arrays.h"

#include "core/common/error.h"

#include <exception>

PYBIND11_MODULE(_core, module) {
  module.doc() = "Compiled core of lpsnmr.";
  module.attr("__version__") = LPSNMR_VERSION;
  // every lpsnmr::Error of the core becomes this Python exception, a ValueError
  pybind11::object base = pybind11::module_::import("lpsnmr.errors").attr("InputError");
  static const pybind11::handle core_error =
      pybind11::register_exception<lpsnmr::Error>(module, "CoreError", base);
  // tried before the translator above, which fails on messages that quote bytes that are no UTF-8
  pybind11::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const lpsnmr::Error &error) {
      const pybind11::str text = to_str(error.what());
      if (text) PyErr_SetObject(core_error.ptr(), text.ptr());
    }
  });
  export_neighbor_list(module);
  export_ufp(module);
  export_efg(module);
  export_efg_file(module);
  export_efg_tensors(module);
  export_correlators(module);
  export_echo(module);
  export_ufp_features(module);
  export_dump_parser(module);
  export_extrapolation(module);
  export_density(module);
}
