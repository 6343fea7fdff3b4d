"""Runs and streams: configuration, checkpoints, progress, results."""
