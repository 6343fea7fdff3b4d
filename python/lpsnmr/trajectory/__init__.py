"""Frames of trajectories: LAMMPS dumps and data files, unwrapped positions."""
