"""Kinds of option that several commands have."""

import click

__all__ = ["SEED"]

SEED = click.IntRange(min=0)
"""What NumPy takes to begin its random numbers with."""
