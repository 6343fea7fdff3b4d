// One export function per class file; module.cpp calls them all.
#pragma once

#include <pybind11/pybind11.h>

void export_neighbor_list(pybind11::module_ &module);
void export_ufp(pybind11::module_ &module);
void export_ufp_features(pybind11::module_ &module);
void export_efg(pybind11::module_ &module);
void export_efg_file(pybind11::module_ &module);
void export_efg_tensors(pybind11::module_ &module);
void export_correlators(pybind11::module_ &module);
void export_echo(pybind11::module_ &module);
void export_dump_parser(pybind11::module_ &module);
void export_extrapolation(pybind11::module_ &module);
void export_density(pybind11::module_ &module);
