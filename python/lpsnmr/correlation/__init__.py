"""Multi-tau correlators and mean squared displacement accumulators."""
