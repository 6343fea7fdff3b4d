"""Quadrupolar frequencies, their correlation function and its decay."""
