"""Files shipped with lpsnmr: structures, reference data, fitted models."""
