"""What the fits of both models share: sums over rows, folds of blocks, ridge regression, errors, sidecar."""
