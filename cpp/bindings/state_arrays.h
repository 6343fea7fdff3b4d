// States of accumulators as dicts of NumPy arrays, with checks on the way back.
#pragma once

#include "arrays.h"

#include <cstdint>
#include <string>
#include <vector>

using LongArray =
    pybind11::array_t<std::int64_t, pybind11::array::c_style | pybind11::array::forcecast>;

inline pybind11::ssize_t size(std::size_t n) {
  return static_cast<pybind11::ssize_t>(n);
}

inline std::size_t count_of(long value, const char *name) {
  if (value < 0)
    throw lpsnmr::Error(std::string(name) + " must not be negative, got " + std::to_string(value));
  return static_cast<std::size_t>(value);
}

inline pybind11::array scalar(std::int64_t value) {
  pybind11::array_t<std::int64_t> array(std::vector<pybind11::ssize_t>{});
  *array.mutable_data() = value;
  return std::move(array);
}

template <typename Array> Array item(const pybind11::dict &d, const char *key) {
  if (!d.contains(key)) throw lpsnmr::Error(std::string("state of a correlator: no '") + key + "'");
  Array array = Array::ensure(d[key]); // null, and the Python error cleared, when not convertible
  if (!array)
    throw lpsnmr::Error(std::string("state of a correlator: '") + key + "' must hold numbers");
  return array;
}

inline std::int64_t integer(const pybind11::dict &d, const char *key) {
  const auto array = item<LongArray>(d, key);
  if (array.size() != 1)
    throw lpsnmr::Error(std::string("state of a correlator: '") + key + "' must be a scalar");
  return *array.data();
}

inline std::vector<double> doubles(const pybind11::dict &d, const char *key) {
  const auto array = item<DoubleArray>(d, key);
  return std::vector<double>(array.data(), array.data() + array.size());
}

inline std::vector<std::int64_t> integers(const pybind11::dict &d, const char *key) {
  const auto array = item<LongArray>(d, key);
  return std::vector<std::int64_t>(array.data(), array.data() + array.size());
}
