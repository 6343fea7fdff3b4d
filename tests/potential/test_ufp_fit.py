"""The fit: recovery of a known potential, blocks kept apart, constraints, the calculator."""

import numpy as np
import pytest
import scipy.linalg
from ase.calculators.singlepoint import SinglePointCalculator

from lpsnmr.errors import InputError
from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.fitting.folds import share_out
from lpsnmr.potential import (
    BasisSettings,
    DataSet,
    FitSettings,
    Layout,
    PriorSettings,
    Ufp,
    UfpCalculator,
    WeightSettings,
    blocks_from_coefficients,
    fit_ufp,
    write_uf3,
)
from lpsnmr.potential.core_repulsion import impose
from lpsnmr.potential.prior import prior_mean
from lpsnmr.potential.rows import frame_rows, row_weights
from support.ufp_cases import labelled, random_structure

CELL = np.array([[7.0, 0.0, 0.0], [1.0, 6.5, 0.0], [0.5, -1.0, 7.5]])
BASIS = BasisSettings(
    elements=("Li", "S"),
    two_body_cutoff=5.0,
    two_body_spacing=0.4,
    three_body_cutoff=3.5,
    three_body_spacing=0.8,
)
WIDE = PriorSettings(30.0, 30.0, 3.0, 3.0)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A potential: ZBL plus smooth random terms, as coefficients and as a file."""
    layout = Layout.from_settings(BASIS)
    c = prior_mean(layout) + 0.1 * np.random.default_rng(0).normal(size=layout.columns)
    path = tmp_path_factory.mktemp("known") / "known.uf3"
    write_uf3(path, blocks_from_coefficients(layout, c))
    return Ufp(path)


@pytest.fixture(scope="module")
def frames(known):
    out = []
    for k in range(60):
        atoms = random_structure(k, CELL, n=10, least=1.6, elements=("Li", "S"))
        out.append(labelled(atoms, known.predict, run=f"run{k // 10}", step=50 * (k % 10)))
    return out


@pytest.fixture(scope="module")
def result(frames):
    settings = FitSettings(BASIS, (WIDE,), WeightSettings(1e-3, 1e-2, 1e-2), folds=3)
    return fit_ufp([DataSet(frames)], settings)


def test_a_known_potential_is_recovered(result, frames, known, tmp_path):
    write_uf3(tmp_path / "fit.uf3", blocks_from_coefficients(result.layout, result.coefficients))
    fitted = Ufp(tmp_path / "fit.uf3")
    atoms = random_structure(991, CELL, n=10, least=1.6, elements=("Li", "S"))
    ours, theirs = fitted.predict(atoms), known.predict(atoms)
    scale = np.sqrt(np.mean(theirs.forces**2))
    assert np.sqrt(np.mean((ours.forces - theirs.forces) ** 2)) < 0.01 * scale
    shift = sum(result.reference_energies[s] for s in atoms.get_chemical_symbols())
    assert ours.energy + shift == pytest.approx(theirs.energy, abs=0.02 * len(atoms))
    np.testing.assert_allclose(ours.stress, theirs.stress, atol=0.01 * abs(theirs.stress).max())
    assert result.held_out[-1].run == "all"
    assert result.held_out[-1].force_percent_of_rms < 2.0


def test_errors_of_the_table_are_those_of_the_written_file(result, frames, tmp_path):
    write_uf3(tmp_path / "fit.uf3", blocks_from_coefficients(result.layout, result.coefficients))
    fitted = Ufp(tmp_path / "fit.uf3")
    errors = [fitted.predict(f).forces - f.calc.results["forces"] for f in frames]
    row = next(r for r in result.training if r.run == "all")
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(row.force_eV_per_angstrom, rel=1e-6)


def test_stress_rows_follow_the_calculator(known, frames):
    """Rows times the coefficients that made the labels give the labels: signs and order of stress."""
    layout = Layout.from_settings(BASIS)
    c = prior_mean(layout) + 0.1 * np.random.default_rng(0).normal(size=layout.columns)
    for frame in frames[:3]:
        rows = frame_rows(layout, frame)
        np.testing.assert_allclose(np.append(c, [0.0, 0.0]) @ rows.design, rows.target, atol=1e-9)


def test_normal_equations_equal_the_stacked_rows(frames):
    layout = Layout.from_settings(BASIS)
    sums = NormalEquations(layout.columns + 2)
    designs, targets = [], []
    for frame in frames[:25]:
        rows = frame_rows(layout, frame)
        weight = row_weights(rows.kind, WeightSettings())
        sums.add(rows.design * weight, rows.target * weight)
        designs.append(rows.design * weight)
        targets.append(rows.target * weight)
    sums.flush()
    x, y = np.concatenate(designs, axis=1), np.concatenate(targets)
    expected = x @ x.T
    np.testing.assert_allclose(np.tril(sums.gram), np.tril(expected), atol=1e-9 * abs(expected).max())
    c = np.random.default_rng(4).normal(size=layout.columns + 2)
    assert sums.loss(c) == pytest.approx(np.mean((c @ x - y) ** 2), rel=1e-9)


def test_blocks_are_never_torn_apart(frames):
    """Whatever the data set, all frames of a block are in one fold; a second set follows the first."""
    teacher = [f.copy() for f in frames[::3]]
    stranger = random_structure(5, CELL, n=10, least=1.6, elements=("Li", "S"))
    stranger.info.update(run="elsewhere", run_step=0)
    data = [DataSet(frames), DataSet([*teacher, stranger], weight=0.1)]
    for steps in (None, 200):
        fold = share_out(data, FitSettings(BASIS, folds=3, steps_per_block=steps)).fold
        seen = {}
        for f, k in zip([*frames, *teacher], fold[:-1], strict=True):
            block = (f.info["run"], None if steps is None else f.info["run_step"] // steps)
            assert seen.setdefault(block, k) == k
        assert set(fold[: len(frames)]) == {0, 1, 2}
        assert fold[-1] == -1


def test_held_out_errors_come_from_a_fit_without_the_block(frames):
    """A run with labels of another kind: its held-out error is that of a fit that never saw it."""
    odd = [f.copy() for f in frames]
    for f, g in zip(odd, frames, strict=True):
        sign = -1.0 if g.info["run"] == "run2" else 1.0
        results = g.calc.results
        f.calc = SinglePointCalculator(
            f,
            energy=sign * results["energy"],
            forces=sign * results["forces"],
            stress=sign * results["stress"],
        )
    settings = FitSettings(BASIS, (WIDE,), folds=6)
    table = {row.run: row for row in fit_ufp([DataSet(odd)], settings).held_out}
    assert table["run2"].force_percent_of_rms > 150


def test_cross_validation_takes_the_better_prior(frames):
    hopeless = PriorSettings(1e-3, 1e-3, 1e-3, 1e-3)
    result = fit_ufp([DataSet(frames[:30])], FitSettings(BASIS, (hopeless, WIDE), folds=3))
    assert result.prior == WIDE
    losses = dict(result.candidates)
    assert losses[WIDE] < losses[hopeless]
    assert len(result.committee) == 3


def test_second_set_is_scaled_and_weighted(frames):
    """Labels halved and doubled again, or shifted in energy, change nothing; a tiny weight disarms false."""
    half = [f.copy() for f in frames]
    for f, g in zip(half, frames, strict=True):
        f.calc = SinglePointCalculator(f, **{k: 0.5 * v for k, v in g.calc.results.items()})
    settings = FitSettings(BASIS, (WIDE,), folds=0)
    both = fit_ufp([DataSet(frames[:30]), DataSet(half[30:], scale=2.0)], settings)
    plain = fit_ufp([DataSet(frames)], settings)
    # not exactly: each set has reference energies of its own, with a (weak) prior
    np.testing.assert_allclose(both.coefficients, plain.coefficients, atol=2e-3)
    shifted = [f.copy() for f in half[30:]]
    for f, g in zip(shifted, half[30:], strict=True):
        f.calc = SinglePointCalculator(
            f, **{**g.calc.results, "energy": g.calc.results["energy"] - 7.0 * len(f)}
        )
    moved = fit_ufp([DataSet(frames[:30]), DataSet(shifted, scale=2.0)], settings)
    np.testing.assert_allclose(moved.coefficients, both.coefficients, atol=1e-6)
    light = fit_ufp([DataSet(frames), DataSet(half, weight=1e-12)], settings)
    np.testing.assert_allclose(light.coefficients, plain.coefficients, atol=1e-4)


def test_same_input_same_numbers(frames):
    settings = FitSettings(BASIS, (WIDE,), folds=0)
    one, two = (fit_ufp([DataSet(frames[:20])], settings).coefficients for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_core_falls_although_the_data_pull_it_up(frames):
    """Labels of a well at 2 Å that the curvature prior would carry on inwards."""
    settings = [
        FitSettings(BASIS, (PriorSettings(100.0, 0.05, 0.1, 0.1),), folds=0, monotone_core=m) for m in (1, 0)
    ]
    soft = [f.copy() for f in frames]
    for f, g in zip(soft, frames, strict=True):
        f.calc = SinglePointCalculator(f, energy=-g.calc.results["energy"], forces=-g.calc.results["forces"])
    held, free = (fit_ufp([DataSet(soft)], s) for s in settings)
    assert not all(row.repulsive for row in free.core)
    assert held.active_core_constraints > 0
    knots = held.layout.pair_knots
    for block, row in enumerate(held.core):
        first, _ = held.layout.basis.pair_columns(block)
        count = int(np.sum(knots[4:] <= row.shortest_distance))
        assert (np.diff(held.coefficients[first : first + count]) < 0).all()


def test_impose_solves_the_quadratic_programme():
    """Against a brute-force projection on two constraints."""
    rng = np.random.default_rng(2)
    a = rng.normal(size=(8, 8))
    a = a @ a.T + np.eye(8)
    free = rng.normal(size=8)
    columns, falls = np.array([1, 4]), np.array([0.5, 0.3])
    factor = scipy.linalg.cho_factor(a, lower=True)
    solution, active = impose(free, factor, columns, falls)
    best = np.inf
    for chosen in ([], [0], [1], [0, 1]):
        g = np.zeros((len(chosen), 8))
        for row, m in enumerate(chosen):
            g[row, columns[m]], g[row, columns[m] + 1] = 1.0, -1.0
        inverse = np.linalg.inv(a)
        shift = (
            inverse @ g.T @ np.linalg.solve(g @ inverse @ g.T, falls[chosen] - g @ free) if chosen else 0.0
        )
        trial = free + shift
        if (trial[columns] - trial[columns + 1] >= falls - 1e-12).all():
            best = min(best, (trial - free) @ a @ (trial - free))
    assert (solution[columns] - solution[columns + 1] >= falls - 1e-9).all()
    assert (solution - free) @ a @ (solution - free) == pytest.approx(best, rel=1e-9)
    assert active >= 1


def test_calculator_agrees_with_finite_differences(known):
    atoms = random_structure(77, CELL, n=8, least=1.6, elements=("Li", "S"))
    atoms.calc = UfpCalculator(known)
    h = 1e-4
    for atom, axis in [(0, 0), (5, 2)]:
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * h
            moved.calc = UfpCalculator(known)
            energies.append(moved.get_potential_energy())
        slope = (energies[0] - energies[1]) / (2 * h)
        assert atoms.get_forces()[atom, axis] == pytest.approx(-slope, rel=1e-5, abs=1e-5)
    strain = np.eye(3)
    strain[0, 1] = strain[1, 0] = h / 2
    energies = []
    for matrix in (strain, 2 * np.eye(3) - strain):
        moved = atoms.copy()
        moved.set_cell(atoms.cell.array @ matrix, scale_atoms=True)
        moved.calc = UfpCalculator(known)
        energies.append(moved.get_potential_energy())
    slope = (energies[0] - energies[1]) / (2 * h) / atoms.get_volume()
    assert atoms.get_stress()[5] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_errors_say_what_is_wrong(frames, known):
    settings = FitSettings(BASIS, (WIDE,), folds=0)
    bare = frames[0].copy()
    bare.info["source"] = "x.extxyz: frame 0"
    with pytest.raises(InputError, match=r"x\.extxyz: frame 0: no 'energy'"):
        fit_ufp([DataSet([bare])], settings)
    alien = frames[0].copy()
    alien.symbols[0] = "Na"
    alien.calc = frames[0].calc
    with pytest.raises(InputError, match="element Na is not in the potential"):
        fit_ufp([DataSet([alien])], settings)
    with pytest.raises(InputError, match="element Na"):
        known.predict(alien)
    broken = frames[0].copy()
    broken.calc = SinglePointCalculator(broken, energy=np.nan, forces=frames[0].calc.results["forces"])
    with pytest.raises(InputError, match="not finite"):
        fit_ufp([DataSet([broken])], settings)
    with pytest.raises(InputError, match="folds"):
        fit_ufp([DataSet(frames[:10])], FitSettings(BASIS, (WIDE,), folds=3))
    with pytest.raises(InputError, match="need cross-validation"):
        FitSettings(BASIS, (WIDE, PriorSettings()), folds=0)
    with pytest.raises(InputError, match="weight > 0"):
        DataSet(frames, weight=-1.0)
