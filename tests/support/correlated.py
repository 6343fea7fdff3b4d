"""A stored series, correlated as a run does it."""

from lpsnmr.sampling import MultiTauCorrelator


def correlated(components, interval):
    """Return the statistics of a series (samples, series, components), and its length in ps."""
    correlator = MultiTauCorrelator(*components.shape[1:], sample_interval_ps=interval)
    for values in components:
        correlator.add(values)
    return correlator.statistics(), (len(components) - 1) * interval
