"""How a fit is carried out changes nothing: threads, checkpoints; committee, search, weights, spacings."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from lpsnmr.errors import InputError
from lpsnmr.fitting.accumulate import matrices_of
from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.fitting.features import FeatureStore
from lpsnmr.fitting.folds import share_out
from lpsnmr.potential import (
    BasisSettings,
    DataSet,
    Execution,
    FitSettings,
    Layout,
    PriorSettings,
    WeightSettings,
    fit,
    fit_ufp,
    format_table,
)
from lpsnmr.potential.fit import fingerprint
from lpsnmr.potential.rows import frame_rows, row_weights, sparse_features
from lpsnmr.report.fit_page import write_fit_report
from lpsnmr.report.fit_phases import phase_rows
from support.ufp_cases import harmless_frames

CELL = np.array([[7.0, 0.0, 0.0], [1.0, 6.5, 0.0], [0.5, -1.0, 7.5]])
BASIS = BasisSettings(
    elements=("Li", "S"),
    two_body_cutoff=4.5,
    two_body_spacing=0.5,
    three_body_cutoff=3.0,
    three_body_spacing=1.0,
)
SETTINGS = FitSettings(BASIS, folds=3, bootstrap=3)


@pytest.fixture(scope="module")
def frames():
    """Random labels: the fit must be the same, not good."""
    return harmless_frames(24, lambda k: (f"run{k // 4}", 10 * (k % 4), 300.0 + k // 4), CELL, 10, seed=8)


@pytest.fixture(scope="module")
def result(frames):
    return fit_ufp([DataSet(frames)], SETTINGS)


def test_threads_give_the_same_bits(frames, result):
    threaded = fit_ufp([DataSet(frames)], SETTINGS, execution=Execution(threads=3))
    np.testing.assert_array_equal(threaded.coefficients, result.coefficients)
    np.testing.assert_array_equal(threaded.bootstrap, result.bootstrap)
    assert threaded.held_out == result.held_out


@pytest.mark.parametrize(("share", "threads"), [(0.0, 1), (0.4, 3), (1.0, 1)])
def test_features_are_evaluated_once_and_memory_changes_no_bit(frames, result, monkeypatch, share, threads):
    """Beyond the memory they are evaluated again, in each of the two walks after the first look."""
    layout = Layout.from_settings(BASIS)
    whole = sum(sparse_features(layout, f).nbytes for f in frames)
    size = layout.columns + 2
    matrices = matrices_of(SETTINGS) * size**2 * 8
    stores = []

    class Watched(FeatureStore):
        def clear(self):
            stores.append((self.evaluated, self.nbytes))
            super().clear()

    monkeypatch.setattr(fit, "FeatureStore", Watched)
    memory = matrices + int(share * (whole + 1000))
    again = fit_ufp([DataSet(frames)], SETTINGS, execution=Execution(threads=threads, memory=memory))
    [(evaluated, kept)] = stores
    assert kept <= memory - matrices
    assert evaluated == {0.0: 3 * 24, 1.0: 24}.get(share, evaluated)
    assert (kept == whole) == (share == 1.0)
    if share == 0.4:
        assert 0.3 * whole < kept
        assert 24 < evaluated < 3 * 24
    np.testing.assert_array_equal(again.coefficients, result.coefficients)
    np.testing.assert_array_equal(again.bootstrap, result.bootstrap)
    assert again.held_out == result.held_out
    assert again.learning == result.learning
    with pytest.raises(InputError, match="memory: expected more than 0"):
        Execution(memory=0)


def test_an_error_in_a_thread_is_the_users(frames):
    bad = frames[5].copy()
    bad.info["source"] = "x.extxyz: frame 5"
    with pytest.raises(InputError, match=r"x\.extxyz: frame 5"):
        fit_ufp([DataSet([*frames[:5], bad])], FitSettings(BASIS, folds=0), execution=Execution(threads=2))


@pytest.mark.parametrize("bootstrap", [0, 3])
def test_a_stopped_fit_goes_on_from_its_checkpoint(frames, tmp_path, bootstrap):
    settings = FitSettings(BASIS, folds=3, bootstrap=bootstrap)
    whole = fit_ufp([DataSet(frames)], settings)
    part = tmp_path / "fit.part.npz"
    calls = []

    def stop(stage, done, total):
        if stage == "normal equations":
            calls.append(done)
            if done == 13:
                raise KeyboardInterrupt

    execution = Execution(checkpoint=part, checkpoint_s=0.0)
    with pytest.raises(KeyboardInterrupt):
        fit_ufp([DataSet(frames)], settings, stop, execution)
    assert part.exists()
    stopped = calls.copy()
    calls.clear()
    again = fit_ufp(
        [DataSet(frames)],
        settings,
        lambda s, d, t: calls.append(d) if s == "normal equations" else None,
        execution,
    )
    assert stopped[-1] == 13
    assert 1 < calls[0] <= 14  # not from the beginning
    assert calls[-1] == len(frames)
    np.testing.assert_array_equal(again.coefficients, whole.coefficients)
    np.testing.assert_array_equal(np.ravel(again.bootstrap), np.ravel(whole.bootstrap))


def test_checkpoints_do_not_change_a_digit(frames, result, tmp_path):
    """They are written when the clock says so: the sums must not know of it."""
    execution = Execution(checkpoint=tmp_path / "fit.part.npz", checkpoint_s=0.0)
    for settings in (SETTINGS, FitSettings(BASIS, folds=3)):
        plain = result if settings is SETTINGS else fit_ufp([DataSet(frames)], settings)
        watched = fit_ufp([DataSet(frames)], settings, execution=execution)
        np.testing.assert_array_equal(watched.coefficients, plain.coefficients)
        assert watched.held_out == plain.held_out


def test_a_checkpoint_of_another_fit_or_a_broken_one_is_not_used(frames, tmp_path, caplog):
    part = tmp_path / "fit.part.npz"
    execution = Execution(checkpoint=part, checkpoint_s=0.0)
    fit_ufp([DataSet(frames[:12])], FitSettings(BASIS, folds=0), execution=execution)
    other = FitSettings(BASIS, weights=WeightSettings(force_ev_per_angstrom=0.3), folds=0)
    clean = fit_ufp([DataSet(frames[:12])], other)
    reused = fit_ufp([DataSet(frames[:12])], other, execution=execution)
    np.testing.assert_allclose(reused.coefficients, clean.coefficients, atol=1e-9)
    assert "of another fit" in caplog.text
    part.write_bytes(part.read_bytes()[:-3000])
    broken = fit_ufp([DataSet(frames[:12])], other, execution=execution)
    np.testing.assert_allclose(broken.coefficients, clean.coefficients, atol=1e-9)
    assert "not readable" in caplog.text


def test_fingerprint_sees_data_and_settings(frames):
    base = fingerprint([DataSet(frames)], SETTINGS)
    moved = [f.copy() for f in frames]
    for f, g in zip(moved, frames, strict=True):
        f.calc = g.calc
    assert fingerprint([DataSet(moved)], SETTINGS) == base
    moved[3].positions[0, 0] += 1e-9
    assert fingerprint([DataSet(moved)], SETTINGS) != base
    assert fingerprint([DataSet(frames, scale=1.1)], SETTINGS) != base
    assert fingerprint([DataSet(frames)], FitSettings(BASIS, folds=3, bootstrap=2)) != base


def test_bootstrap_members_are_fits_to_drawn_blocks(frames, result):
    """Against a fit that was given the drawn frames as often as they were drawn."""
    blocks = share_out([DataSet(frames)], SETTINGS)
    assert (blocks.multiplicity.sum(axis=1) == 6).all()
    drawn = [
        f for f, label in zip(frames, blocks.label, strict=True) for _ in range(blocks.multiplicity[0, label])
    ]
    layout = Layout.from_settings(BASIS)
    direct = fit_ufp([DataSet(drawn)], FitSettings(BASIS, folds=0))
    both = np.flatnonzero((direct.coefficients != 0) & (result.bootstrap[0] != 0))
    assert both.size > 0.5 * layout.two_body_columns
    # the mean energy, centre of the prior of the reference energies, differs: a weak pull
    np.testing.assert_allclose(
        result.bootstrap[0][: layout.two_body_columns],
        direct.coefficients[: layout.two_body_columns],
        atol=2e-2,
    )


def test_spread_is_that_of_the_members(frames, result):
    layout = result.layout
    rows = frame_rows(layout, frames[0])
    forces = [np.append(c, [0.0, 0.0]) @ rows.design for c in result.bootstrap]
    spread = np.std(forces, axis=0, ddof=1)
    np.testing.assert_allclose(
        result.frames[0].spread[rows.kind == 1], spread[rows.kind == 1], rtol=1e-6, atol=1e-9
    )
    last = result.spread[-1]
    every = np.concatenate([f.spread[f.kind == 1] for f in result.frames])
    assert last.run == "all"
    assert last.force_spread_eV_per_angstrom == pytest.approx(np.sqrt(np.mean(every**2)))


def test_search_goes_on_from_the_candidates(frames):
    start = PriorSettings(0.01, 0.01, 0.01, 0.01)
    plain = fit_ufp([DataSet(frames)], FitSettings(BASIS, (start,), folds=3))
    searched = fit_ufp([DataSet(frames)], FitSettings(BASIS, (start,), folds=3, search=7))
    losses = [loss for _, loss in searched.candidates]
    assert len(losses) == 8
    assert len({p for p, _ in searched.candidates}) == 8
    assert min(losses) < plain.candidates[0][1]
    assert dict(searched.candidates)[searched.prior] == min(losses)


def test_learning_curve_is_of_fits_to_fewer_folds(frames, result):
    sizes = [p.training_frames for p in result.learning]
    assert sizes == [8.0, 16.0]
    assert result.learning[-1].rows == result.held_out
    fold = share_out([DataSet(frames)], SETTINGS).fold
    only = [f for f, k in zip(frames, fold, strict=True) if k == 1]  # follows fold 0
    layout = result.layout
    from lpsnmr.fitting.ridge import solve
    from lpsnmr.potential.prior import build_prior
    from lpsnmr.potential.rows import touched_columns

    columns = touched_columns(layout, frames)
    sums = NormalEquations(len(columns) + 2)
    for f in only:
        rows = frame_rows(layout, f, columns)
        weight = row_weights(rows.kind, WeightSettings())
        sums.add(rows.design * weight, rows.target * weight)
    mean = float(np.mean([f.calc.results["energy"] / len(f) for f in frames]))
    c, _ = solve(sums, build_prior(layout, PriorSettings(), columns, [mean]))
    k = int(np.flatnonzero(fold == 0)[0])
    rows = frame_rows(layout, frames[k], columns)
    free = fit_ufp([DataSet(frames)], FitSettings(BASIS, folds=3, monotone_core=False))
    np.testing.assert_allclose(free.frames[k].fewer[1], c @ rows.design - rows.target, atol=1e-7)


def test_run_weights_equal_weights_of_the_frames(frames):
    settings = FitSettings(BASIS, folds=0, run_weights=(("run*", 0.5), ("run3", 0.1)))
    by_run = fit_ufp([DataSet(frames)], settings)
    heavy = []
    for f in frames:
        g = f.copy()
        g.calc = f.calc
        g.info["fit_weight"] = 0.1 if f.info["run"] == "run3" else 0.5
        heavy.append(g)
    by_frame = fit_ufp([DataSet(heavy)], FitSettings(BASIS, folds=0))
    np.testing.assert_array_equal(by_run.coefficients, by_frame.coefficients)
    with pytest.raises(InputError, match="positive"):
        FitSettings(BASIS, run_weights=(("a", 0.0),))


def test_triples_may_have_knots_of_their_own():
    layout = Layout.from_settings(
        BasisSettings(
            elements=("Li", "S"), three_body_spacing=0.5, triple_spacings=(("Li", "S", "Li", 0.25),)
        )
    )
    for triple, knots in zip(layout.triples, layout.triple_knots, strict=True):
        step = 0.25 if triple == (0, 0, 1) else 0.5
        for k in knots:
            assert np.diff(np.unique(k)) == pytest.approx(step)
    with pytest.raises(InputError, match="element P"):
        BasisSettings(elements=("Li", "S"), triple_spacings=(("Li", "P", "Li", 0.25),))


def test_intervals_hold_the_value_and_shrink_with_blocks(result):
    for row in result.held_out:
        low, high = row.force_percent_interval
        assert low <= row.force_percent_of_rms * 1.0001
        assert high >= row.force_percent_of_rms * 0.9999
    assert "95 %" in format_table(result.held_out)


def test_errors_by_phase_are_those_of_their_frames(result):
    """Against the errors of the frames themselves."""
    named = [replace(r, run=f"b32_{r.run}" if k < 2 else r.run) for k, r in enumerate(result.held_out)]
    crystal, other = phase_rows(named)
    assert (crystal.run, crystal.frames, other.run, other.frames) == ("β crystal", 8, "other", 16)
    chosen = [f for f in result.frames if f.run in ("run0", "run1")]
    error = np.concatenate([f.held_out[f.kind == 1] for f in chosen])
    target = np.concatenate([f.target[f.kind == 1] for f in chosen])
    assert crystal.force_eV_per_angstrom == pytest.approx(np.sqrt(np.mean(error**2)))
    assert crystal.force_percent_of_rms == pytest.approx(
        100 * np.sqrt(np.mean(error**2) / np.mean(target**2))
    )
    energy = np.concatenate([f.held_out[f.kind == 0] for f in chosen])
    assert crystal.energy_meV_per_atom == pytest.approx(1e3 * np.sqrt(np.mean(energy**2)))


def test_report_holds_every_run_and_pair(frames, result, tmp_path):
    png, page = write_fit_report(tmp_path, "x", result, SETTINGS, frames)
    assert png.read_bytes()[:4] == b"\x89PNG"
    text = page.read_text(encoding="utf-8")
    for run, pair in itertools.product(("run0", "run5", "all"), ("Li–Li", "Li–S", "S–S")):
        assert f"<td>{run}</td>" in text
        assert pair in text
    assert "10.1038/s41524-023-01092-7" in text
    assert "this fit, held-out blocks: other, 24 frames" in text
    row = result.held_out[0]
    assert f"<td>{row.force_percent_of_rms:.1f}</td>" in text
