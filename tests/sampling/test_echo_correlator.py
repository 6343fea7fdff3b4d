"""Echo accumulator, orientations, window means and thinned tensors against slow oracles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpsnmr.efg.tensors import components_to_tensor
from lpsnmr.errors import InputError
from lpsnmr.results import Echo
from lpsnmr.sampling import (
    LEBEDEV_DEGREES,
    EchoCorrelator,
    TensorSampler,
    WindowMean,
    join_states,
    lebedev_half_sphere,
    projections,
    slice_state,
)
from oracles.multi_tau import level_width

FACTOR = -3.0e5  # rad/s per V/Å²
TIMES = (1.0, 12.0)


def echo_of(n, **options):
    return EchoCorrelator(n, **{
        "evolution_times_us": TIMES, "frequency_rad_s_per_efg": FACTOR, "sample_interval_ps": 0.5,
        "degree": 7, **options,
    })  # fmt: skip


def slow_echo(series, lag, width, degree=7):
    """(times, 2, n): sines and cosines of b·V·b, over origins ``width`` samples apart."""
    directions, weights = lebedev_half_sphere(degree)
    tensors = components_to_tensor(series[width - 1 :: width])
    phase = np.einsum("ba,tnac,bc->tnb", directions, tensors, directions) * FACTOR * 1e-6
    shift = lag // width
    early, late = phase[: len(phase) - shift], phase[shift:]
    return np.array(
        [
            [
                np.einsum("tnb,b->n", f(early * t) * f(late * t), weights) / len(early)
                for f in (np.sin, np.cos)
            ]
            for t in TIMES
        ]
    )


@settings(max_examples=15, deadline=None)
@given(
    samples=st.integers(1, 120),
    n=st.integers(1, 5),
    points=st.sampled_from([2, 4, 8]),
    seed=st.integers(0, 99),
)
def test_equals_direct_sums(samples, n, points, seed):
    series = np.random.default_rng(seed).normal(size=(samples, n, 5))
    echo = echo_of(n, points_per_level=points, max_blocks=4)
    for values in series:
        echo.add(values)
    found = echo.statistics()
    lags = np.rint(found.lag_ps / 0.5).astype(int)
    assert np.all(np.diff(lags) > 0)
    for i, lag in enumerate(lags):
        width = level_width(lag, points, 2)
        assert found.counts[i] == samples // width - lag // width
        np.testing.assert_allclose(found.values[:, :, i], slow_echo(series, lag, width), atol=1e-12)
    np.testing.assert_array_equal(found.block_counts.sum(axis=0), found.counts)
    together = np.nansum(found.block_means * found.block_counts, axis=2) / found.counts
    np.testing.assert_allclose(together, found.values.mean(axis=3), atol=1e-12)
    arrays = {}
    found.write(arrays)
    back = Echo.read(arrays, "echo")
    back.validate("echo", found.values.shape[3])
    np.testing.assert_array_equal(back.lags(1, "sum").values, found.values[1].sum(axis=0))
    np.testing.assert_array_equal(back.lags(0, "cosine").values, found.values[0, 1])


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(0, 80), bounds=st.tuples(st.integers(0, 4), st.integers(0, 4)))
def test_continues_bit_for_bit_on_other_ranks(cut, bounds):
    series = np.random.default_rng(1).normal(size=(81, 4, 5))
    whole, samples = echo_of(4, points_per_level=4), TensorSampler(4, sample_interval_ps=1.0, capacity=3)
    window = WindowMean(4, 5, 7)
    ranges = [(0, min(bounds)), (min(bounds), max(bounds)), (max(bounds), 4)]
    for values in series[:cut]:
        whole.add(values)
        samples.add(values)
        window.add(values)
    kinds = [(EchoCorrelator, whole), (TensorSampler, samples), (WindowMean, window)]
    parts = [[cls.from_state(slice_state(one.state(), *r)) for r in ranges] for cls, one in kinds]
    for values in series[cut:]:
        for (_, one), ranks in zip(kinds, parts, strict=True):
            one.add(values)
            for rank, (low, high) in zip(ranks, ranges, strict=True):
                rank.add(values[low:high])
    for (_, one), ranks in zip(kinds, parts, strict=True):
        joined, expected = join_states([rank.state() for rank in ranks]), one.state()
        assert joined.keys() == expected.keys()
        for key, value in expected.items():
            np.testing.assert_allclose(joined[key], value, rtol=1e-14, atol=1e-14, err_msg=key)


@pytest.mark.parametrize("degree", [5, 11, 17, 29, 41])
def test_half_sphere_integrates_even_polynomials(degree):
    directions, weights = lebedev_half_sphere(degree)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0, atol=1e-12)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    turned = directions @ np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    for power in range(0, degree + 1, 2):
        assert weights @ turned[:, 0] ** power == pytest.approx(1.0 / (power + 1), abs=1e-11)


def test_every_degree_is_there():
    for degree in LEBEDEV_DEGREES:
        directions, weights = lebedev_half_sphere(degree)
        assert len(directions) == len(weights)
    with pytest.raises(InputError, match="orientation degree: expected one of 3, 5"):
        lebedev_half_sphere(12)


def test_projections():
    rng = np.random.default_rng(2)
    components, directions = rng.normal(size=(6, 5)), rng.normal(size=(8, 3))
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    expected = np.einsum("ba,nac,bc->bn", unit, components_to_tensor(components), unit)
    np.testing.assert_allclose(projections(directions) @ components.T, expected, atol=1e-13)
    with pytest.raises(InputError, match="not all zero"):
        projections([0.0, 0.0, 0.0])


def test_powder_mean_of_the_square_is_two_fifteenths():
    """sin² of small phases: ⟨(b·V·b)²⟩ = (2/15) Tr V²."""
    values = 1e-3 * np.random.default_rng(3).normal(size=(3, 5))
    echo = echo_of(3, evolution_times_us=(1.0,))
    echo.add(values)
    found = echo.statistics().values[0, 0, 0]
    np.testing.assert_allclose(found, 2 / 15 * (values**2).sum(axis=1) * (FACTOR * 1e-6) ** 2, rtol=1e-6)


def test_windows_are_means():
    series = np.random.default_rng(4).normal(size=(23, 2, 5))
    window = WindowMean(2, 5, 4)
    found = [mean for values in series if (mean := window.add(values)) is not None]
    np.testing.assert_allclose(found, series[:20].reshape(5, 4, 2, 5).mean(axis=1), atol=1e-14)
    with pytest.raises(InputError, match="at least one sample"):
        WindowMean(1, 5, 0)


@pytest.mark.parametrize("length", [1, 5, 40, 333])
def test_thinned_tensors_are_evenly_spaced_block_means(length):
    series = np.random.default_rng(5).normal(size=(length, 2, 5))
    samples = TensorSampler(2, sample_interval_ps=0.5, capacity=4, ratio=3)
    for values in series:
        samples.add(values)
    times = samples.averaging_times_ps()
    for level, time_ps in enumerate(times):
        width = 3**level
        assert time_ps == pytest.approx(0.5 * width)
        means = series[: length // width * width].reshape(-1, width, 2, 5).mean(axis=1)
        kept = samples.means(level)
        assert min(len(means), 4) <= len(kept) <= 8
        stride = next(s for s in (2**k for k in range(12)) if -(-len(means) // s) <= 8)
        np.testing.assert_allclose(kept, means[::stride], atol=1e-13)
    assert len(times) == len([w for w in (3**k for k in range(12)) if w <= length])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"evolution_times_us": (0.0,)}, "evolution times"),
        ({"evolution_times_us": ()}, "evolution times"),
        ({"sample_interval_ps": 0.0}, "sample_interval_ps"),
        ({"degree": 8}, "orientation degree"),
        ({"points_per_level": 3}, "multiple of ratio"),
    ],
)
def test_bad_settings(options, words):
    with pytest.raises(InputError, match=words):
        echo_of(1, **options)


def test_bad_values_and_states():
    echo = echo_of(2)
    echo.add(np.ones((2, 5)))
    with pytest.raises(InputError, match="series 1, component 3 is not finite"):
        echo.add([[1.0] * 5, [1.0, 1.0, 1.0, np.inf, 1.0]])
    with pytest.raises(InputError, match=r"\(2, 5\)"):
        echo.add(np.ones((3, 5)))
    state = echo.state()
    for key in state:
        with pytest.raises(InputError, match=key):
            EchoCorrelator.from_state({k: v for k, v in state.items() if k != key})
    with pytest.raises(InputError, match="kind of an echo"):
        echo.statistics().lags(0, "tangent")
    arrays = {}
    echo.statistics().write(arrays)
    with pytest.raises(InputError, match="no block_means"):
        Echo.read({k: v for k, v in arrays.items() if k != "block_means"}, "echo")
    with pytest.raises(InputError, match="shapes"):
        Echo.read({**arrays, "lag_ps": np.arange(3.0)}, "echo").validate("echo", 2)
