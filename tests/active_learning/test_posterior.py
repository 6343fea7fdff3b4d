"""The posterior of a UFP against dense linear algebra, and the choice of frames by it."""

import dataclasses
import json
from pathlib import Path

import ase
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from lpsnmr.active_learning import UfpPosterior, settings_of_potential
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.potential import (
    BasisSettings,
    DataSet,
    DensityBlock,
    DensityChannel,
    FitSettings,
    PriorSettings,
    WeightSettings,
    fit_ufp,
    save_fit,
)
from lpsnmr.potential.prior import build_prior
from lpsnmr.potential.rows import frame_rows, row_weights

BASIS = BasisSettings(
    elements=("Al", "Cu"),
    two_body_start=1.0,
    two_body_cutoff=4.0,
    two_body_spacing=0.5,
    three_body_cutoff=3.0,
    three_body_spacing=1.0,
)
WEIGHTS, PRIOR = WeightSettings(0.01, 0.2, 1.0), PriorSettings(1.0, 0.5, 0.4, 0.3)
SETTINGS = FitSettings(BASIS, (PRIOR,), WEIGHTS, folds=0)


def frames(count, width=0.1, seed=0):
    result = []
    for n in range(count):
        atoms = bulk("Cu", cubic=True)
        atoms.numbers[n % 4] = 13
        atoms.rattle(width, seed=seed + n)
        atoms.calc = EMT()
        atoms.get_stress()
        atoms.info = {"run": f"r{n % 3}", "run_step": n}
        results = dict(atoms.calc.results)
        atoms.calc = ase.calculators.singlepoint.SinglePointCalculator(
            atoms, energy=results["energy"], forces=results["forces"], stress=results["stress"]
        )
        result.append(atoms)
    return result


def test_settings_of_a_fit_with_density_terms(tmp_path):
    channels = (DensityChannel("Al", 4.0, 2, 1), DensityChannel("Cu", 3.8, 1, 2))
    basis = dataclasses.replace(BASIS, density=(DensityBlock("Cu", 34, channels),))
    settings = FitSettings(basis, (PRIOR,), WEIGHTS, folds=0)
    data = [DataSet(frames(4))]
    result = fit_ufp(data, settings)
    save_fit(tmp_path / "p.uf3", result, settings, data, [[]], extrapolation=False)
    found = settings_of_potential(tmp_path / "p.uf3")
    assert found == settings
    posterior = UfpPosterior(found, frames(4))
    np.testing.assert_array_equal(posterior.layout.density.scale, result.layout.density.scale)
    assert posterior.layout.columns == result.layout.columns
    # more columns than V2 and V3 alone: labels teach more
    plain = UfpPosterior(SETTINGS, frames(4))
    new = frames(1, width=0.3, seed=50)[0]
    assert posterior.information_gain(new) > plain.information_gain(new)


@pytest.fixture(scope="module")
def known():
    return frames(4)


def dense_rows(posterior, atoms):
    rows = frame_rows(posterior.layout, atoms)
    return (rows.design * row_weights(rows.kind, WEIGHTS)).T, rows.kind


@pytest.fixture(scope="module")
def covariance(known):
    """Return (XᵀX + R)⁻¹ by plain matrices."""
    posterior = UfpPosterior(SETTINGS, [])
    columns = np.arange(posterior.layout.columns)
    inverse = build_prior(posterior.layout, PRIOR, columns, [0.0]).matrix.toarray()
    for atoms in known:
        rows, _ = dense_rows(posterior, atoms)
        inverse += rows.T @ rows
    return np.linalg.inv(inverse)


def test_gain_and_uncertainty(known, covariance):
    posterior = UfpPosterior(SETTINGS, known)
    probe = frames(1, 0.25, seed=50)[0]
    rows, kind = dense_rows(posterior, probe)
    inner = np.eye(len(rows)) + rows @ covariance @ rows.T
    assert posterior.information_gain(probe) == pytest.approx(0.5 * np.linalg.slogdet(inner)[1], rel=1e-6)
    force_rows = rows[kind == 1] * WEIGHTS.force_ev_per_angstrom
    variance = np.diag(force_rows @ covariance @ force_rows.T).reshape(-1, 3).sum(axis=1)
    assert np.allclose(posterior.force_uncertainty(probe), np.sqrt(variance), rtol=1e-6)


def test_a_known_frame_teaches_little_and_adding_is_the_same_as_starting_with_it(known):
    posterior = UfpPosterior(SETTINGS, known[:3])
    new = frames(1, 0.3, seed=70)[0]
    before = posterior.information_gain(new)
    assert before > 3 * posterior.information_gain(known[0])
    posterior.add(new)
    assert posterior.information_gain(new) < 0.5 * before
    whole = UfpPosterior(SETTINGS, [*known[:3], new])
    assert np.allclose(posterior.force_uncertainty(known[3]), whole.force_uncertainty(known[3]), rtol=1e-8)


def test_weight_of_a_run_counts_like_rows_of_that_weight(known):
    """A run of weight 4 is the same as each of its frames four times, in what is known and in candidates."""
    weighted = UfpPosterior(dataclasses.replace(SETTINGS, run_weights=(("r1", 4.0),)), known)
    repeated = UfpPosterior(SETTINGS, [f for f in known for _ in range(4 if f.info["run"] == "r1" else 1)])
    probe = frames(1, 0.25, seed=50)[0]
    assert weighted.information_gain(probe) == pytest.approx(repeated.information_gain(probe), rel=1e-6)
    np.testing.assert_allclose(
        weighted.force_uncertainty(known[1]), repeated.force_uncertainty(known[1]), rtol=1e-6
    )
    probe.info["run"] = "r1"
    before = repeated.information_gain(probe)
    assert weighted.information_gain(probe) > before
    weighted.add(probe)
    for _ in range(4):
        repeated.add(probe)
    assert weighted.information_gain(known[0]) == pytest.approx(repeated.information_gain(known[0]), rel=1e-6)


def test_lazy_choice_is_the_greedy_choice(known):
    pool = frames(8, 0.2, seed=20) + frames(2, 0.02, seed=40)
    chosen = UfpPosterior(SETTINGS, known).select(pool, 4)
    slow, left, expected = UfpPosterior(SETTINGS, known), list(range(10)), []
    for _ in range(4):
        best = max(left, key=lambda k: slow.information_gain(pool[k]))
        expected.append((best, pytest.approx(slow.information_gain(pool[best]))))
        slow.add(pool[best])
        left.remove(best)
    assert chosen == expected
    gains = [gain for _, gain in chosen]
    assert gains == sorted(gains, reverse=True)


def test_a_twin_teaches_at_most_half_a_bit_per_row(known):
    """Measuring again what was measured halves variances at best: ½ ln 2 for each row of the frame."""
    atoms = frames(1, 0.3, seed=20)[0]
    posterior = UfpPosterior(SETTINGS, known)
    before = posterior.information_gain(atoms)
    posterior.add(atoms)
    after = posterior.information_gain(atoms)
    assert 0 < after < 0.5 * np.log(2) * (1 + 3 * 4 + 6)
    assert after < before


def test_groups_limit_the_choice(known):
    pool = frames(6, 0.2, seed=20)
    groups = ["a", "a", "a", "a", "b", "c"]
    posterior = UfpPosterior(SETTINGS, known)
    chosen = posterior.select(pool, 6, groups, 1)
    assert sorted(groups[k] for k, _ in chosen) == ["a", "b", "c"]
    again = UfpPosterior(SETTINGS, known).select(pool, 6, groups, {"a": 3, "b": 1})
    assert sorted(groups[k] for k, _ in again) == ["a", "a", "a", "b"]
    with pytest.raises(InputError, match="at least one"):
        posterior.select(pool, 0)
    with pytest.raises(InputError, match="2 groups for 6"):
        posterior.select(pool, 1, ["a", "b"])


def test_uncertainty_tells_large_errors_from_small_ones(known):
    """The frames that the fit gets wrong most are those it is least sure of."""
    train = frames(6, 0.05)
    result = fit_ufp([DataSet(train)], FitSettings(BASIS, (PRIOR,), WEIGHTS, folds=0))
    posterior = UfpPosterior(SETTINGS, train)
    errors, sigmas = [], []
    for width in (0.03, 0.1, 0.2, 0.3):
        for atoms in frames(3, width, seed=90):
            rows = frame_rows(posterior.layout, atoms)
            solution = np.concatenate([result.coefficients, [*result.reference_energies.values()]])
            error = (solution @ rows.design - rows.target)[rows.kind == 1]
            errors.append(np.sqrt(np.mean(error**2)))
            sigmas.append(posterior.force_uncertainty(atoms).max())
    order = np.argsort(np.argsort(errors)), np.argsort(np.argsort(sigmas))
    assert np.corrcoef(*order)[0, 1] > 0.7


def test_settings_come_from_the_sidecar(known, tmp_path):
    path = tmp_path / "alcu.uf3"
    settings = dataclasses.replace(SETTINGS, monotone_core=False, run_weights=(("r*", 0.5), ("r2", 0.1)))
    save_fit(path, fit_ufp([DataSet(known)], settings), settings, [DataSet(known)], [[]])
    assert settings_of_potential(path) == settings
    sidecar = tmp_path / "alcu.json"
    record = json.loads(sidecar.read_text())
    del record["prior"]
    sidecar.write_text(json.dumps(record))
    with pytest.raises(FileFormatError, match=r"alcu\.json: not a sidecar"):
        settings_of_potential(path)
    with pytest.raises(FileFormatError, match="no sidecar"):
        settings_of_potential(Path(tmp_path / "other.uf3"))
