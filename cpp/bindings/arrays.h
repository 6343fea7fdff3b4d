// Values between Python and the core: checked views of NumPy arrays, and text.
#pragma once

#include "core/common/error.h"
#include "core/neighbors/system.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <utility>
#include <vector>

/// float64, C-contiguous; other dtypes and orders are converted (a copy) on the way in.
using DoubleArray =
    pybind11::array_t<double, pybind11::array::c_style | pybind11::array::forcecast>;
using IntArray = pybind11::array_t<int, pybind11::array::c_style | pybind11::array::forcecast>;

/// Throw unless `array` has the shape (..., columns) with `ndim` axes.
inline void check_shape(const DoubleArray &array, const char *name, int ndim, long columns) {
  if (array.ndim() != ndim || (ndim > 0 && columns >= 0 && array.shape(ndim - 1) != columns))
    throw lpsnmr::Error(std::string(name) + " must have " + std::to_string(ndim) +
                        " axes, the last of length " + std::to_string(columns));
}

/// View positions (n, 3), cell (3, 3) and pbc as a core System; the arrays must outlive it.
inline lpsnmr::neighbors::System view_system(const DoubleArray &positions, const DoubleArray &cell,
                                             const std::array<bool, 3> &pbc) {
  check_shape(positions, "positions", 2, 3);
  check_shape(cell, "cell", 2, 3);
  if (cell.shape(0) != 3) throw lpsnmr::Error("cell must have the shape (3, 3)");
  lpsnmr::neighbors::System system;
  system.positions = positions.data();
  system.size = static_cast<std::size_t>(positions.shape(0));
  for (int k = 0; k < 9; ++k) system.cell[k] = cell.data()[k];
  system.periodic = pbc;
  return system;
}

/// Text for Python; bytes that are no UTF-8 as \xNN. Null with a Python error set when memory ends.
inline pybind11::str to_str(const std::string &text) {
  return pybind11::reinterpret_steal<pybind11::str>(PyUnicode_DecodeUTF8(
      text.data(), static_cast<pybind11::ssize_t>(text.size()), "backslashreplace"));
}

/// Hand a vector to NumPy without copying; the array owns it.
template <typename T>
pybind11::array_t<T> to_numpy(std::vector<T> &&values, std::vector<pybind11::ssize_t> shape) {
  auto *owned = new std::vector<T>(std::move(values));
  pybind11::capsule owner(owned, [](void *p) { delete static_cast<std::vector<T> *>(p); });
  return pybind11::array_t<T>(std::move(shape), owned->data(), owner);
}
