"""Ranks that work together and end together."""

from lpsnmr.parallel.ranks import MpiRanks, OneRank

__all__ = ["MpiRanks", "OneRank"]
