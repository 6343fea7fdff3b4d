"""The sampler: drift, slices, states, and what it refuses."""

import numpy as np
import pytest

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.sampling import DisplacementCorrelator, MultiTauCorrelator
from lpsnmr.sampling.sampler import (
    Sampler,
    SamplerState,
    mean_values,
    owned_range,
)
from lpsnmr.trajectory.frames import Frame

NUMBERS = np.array([3, 15, 3, 16, 3, 16], dtype=np.int32)
IDS = np.array([2, 3, 5, 7, 11, 13])
LITHIUM = [0, 2, 4]


class PositionModel:
    """Five numbers made from the position of the target: easy to predict in a test."""

    sha256 = "0" * 64

    def __init__(self):
        self.n_flagged = 0

    def predict_components(self, positions, cell, pbc, numbers, targets):
        self.n_flagged += len(targets)
        r = positions[targets]
        return np.column_stack([r, r[:, 0] * r[:, 1], r[:, 2] ** 2])


def frame(step, positions, unwrapped=None):
    cell = np.eye(3) * (10.0 + step)
    return Frame(
        step, None, cell, (True,) * 3, IDS, NUMBERS, positions, positions if unwrapped is None else unwrapped
    )


def make(rank=0, size=1):
    return Sampler(
        PositionModel(), IDS, NUMBERS, sample_interval_ps=0.5, interval_steps=5, rank=rank, size=size
    )


@pytest.fixture
def walk():
    return np.cumsum(np.random.default_rng(3).normal(size=(70, 6, 3)), axis=0)


def test_correlators_get_tensors_and_drift_free_positions(walk):
    sampler = make()
    efg = MultiTauCorrelator(3, 5, sample_interval_ps=0.5)
    displacement = DisplacementCorrelator(3, sample_interval_ps=0.5)
    mass = np.array([30.973761998, 32.06, 32.06])
    for k, r in enumerate(walk):
        sampler.add(frame(5 * k, r), temperature_k=300.0 + k)
        efg.add(PositionModel().predict_components(r, None, None, None, LITHIUM))
        displacement.add(r[LITHIUM] - mass @ r[[1, 3, 5]] / mass.sum())
    state = sampler.state()
    np.testing.assert_array_equal(state.li_ids, [2, 5, 11])
    found = MultiTauCorrelator.from_state(state.efg).statistics()
    np.testing.assert_allclose(found.values, efg.statistics().values, rtol=1e-13)
    found = DisplacementCorrelator.from_state(state.displacement).statistics()
    np.testing.assert_allclose(found.values, displacement.statistics().values, rtol=1e-9, atol=1e-9)
    cell, mean, spread = mean_values(state.sums, sampler.n_samples)
    np.testing.assert_allclose(cell, np.eye(3) * (10.0 + 5 * 34.5))
    assert mean == pytest.approx(334.5)
    assert spread == pytest.approx(np.std(np.arange(70)))


def test_rigid_motion_is_no_diffusion(walk):
    sampler = make()
    for k in range(20):
        sampler.add(frame(5 * k, walk[0] + 3.0 * k))
    msd = DisplacementCorrelator.from_state(sampler.state().displacement).statistics()
    np.testing.assert_allclose(msd.values, 0.0, atol=1e-18)


@pytest.mark.parametrize("size", [2, 3, 5])  # 5: ranks that own no Li
def test_parts_join_to_the_whole_and_resume_on_other_ranks(walk, size):
    whole = make()
    parts = [make(rank, size) for rank in range(size)]
    for k, r in enumerate(walk[:40]):
        for sampler in [whole, *parts]:
            sampler.add(frame(5 * k, r), 300.0)
    joined = SamplerState.join([part.state() for part in parts])
    resumed = [make(rank, 2) for rank in range(2)]
    for rank, sampler in enumerate(resumed):
        sampler.restore(joined, rank, 2)
    for k, r in enumerate(walk[40:], start=40):
        for sampler in [whole, *resumed]:
            sampler.add(frame(5 * k, r), 300.0)
    final = SamplerState.join([sampler.state() for sampler in resumed])
    expected = whole.state()
    assert final.n_samples == 70
    assert final.n_flagged == expected.n_flagged == 70 * 3
    for name in ("efg", "displacement", "sums"):
        for key, value in getattr(expected, name).items():
            np.testing.assert_array_equal(getattr(final, name)[key], value, err_msg=f"{name}/{key}")


def test_owned_ranges_cover_everything_once():
    for n in range(12):
        for size in range(1, 8):
            ranges = [owned_range(n, rank, size) for rank in range(size)]
            assert [i for low, high in ranges for i in range(low, high)] == list(range(n))
            assert max(h - low for low, h in ranges) - min(h - low for low, h in ranges) <= 1


def test_refusals(walk):
    sampler = make()
    sampler.add(frame(0, walk[0]))
    with pytest.raises(InputError, match="expected a frame at step 5, got step 10"):
        sampler.add(frame(10, walk[1]))
    bad = walk[1].copy()
    bad[2, 0] = np.nan
    with pytest.raises(ComputeError, match="EFG of atom 5 at step 5"):
        sampler.add(frame(5, bad))
    with pytest.raises(ComputeError, match="position at step 5"):
        sampler.add(frame(5, walk[1], unwrapped=bad))
    assert sampler.n_samples == 1  # nothing was half taken
    sampler.add(frame(5, walk[1]))
    with pytest.raises(InputError, match="unwrapped"):
        sampler.add(Frame(10, None, np.eye(3), (True,) * 3, IDS, NUMBERS, walk[2], None))
    with pytest.raises(InputError, match="no Li"):
        Sampler(PositionModel(), IDS, NUMBERS * 0 + 16, sample_interval_ps=1.0, interval_steps=1)
    other = Sampler(PositionModel(), IDS + 1, NUMBERS, sample_interval_ps=0.5, interval_steps=5)
    with pytest.raises(InputError, match="not those of this run"):
        other.restore(sampler.state())
    other = Sampler(PositionModel(), IDS, NUMBERS, sample_interval_ps=1.0, interval_steps=5)
    with pytest.raises(InputError, match=r"every 0\.5 ps, this run every 1 ps"):
        other.restore(sampler.state())
