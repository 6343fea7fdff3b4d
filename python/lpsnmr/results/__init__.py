"""Results of a run on disk."""
