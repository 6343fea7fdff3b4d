"""Electric field gradient models: features, fit, prediction, metrics."""
