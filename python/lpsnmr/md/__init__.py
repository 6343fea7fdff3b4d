"""Molecular dynamics with LAMMPS and following its dumps."""
