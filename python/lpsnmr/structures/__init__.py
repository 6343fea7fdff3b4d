"""Crystals, supercells and structure checks."""
