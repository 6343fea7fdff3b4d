"""What held-out errors do not tell: learning curve, unseen phases, a scalar baseline, C(t) of ω_Q."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import ase
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from lpsnmr.efg.dataset import EfgData
from lpsnmr.efg.metrics import ETA_LIMIT, tensor_errors
from lpsnmr.efg.settings import GROUPS, EfgSettings
from lpsnmr.efg.tensors import components_to_tensor, principal_values, quadrupolar_coupling_hz
from lpsnmr.errors import InputError
from lpsnmr.fitting.evaluation import mean, parts_of, rms
from lpsnmr.fitting.group_ridge import GroupRidge, GroupRidgeRegressor
from lpsnmr.reference import run_name
from lpsnmr.typing import Array

__all__ = ["correlation_check", "group_matrix", "learning_curve", "scalar_baseline", "system_of"]

Folds = Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]

SIZED = re.compile(r"[a-z]+\d+")
LEARNING_FRACTIONS = (0.125, 0.25, 0.5, 1.0)
NORMS_AT_ONCE = 512
SCALAR_STRENGTHS = tuple(10.0 ** (0.5 * k) for k in range(-8, 9))


@dataclasses.dataclass(frozen=True)
class Validator:
    """Fits to parts of the data with strengths that are given.

    ``data`` and ``settings`` as for ``fit_weights``; ``strengths`` by group, as ``FitResult`` has them.
    """

    data: EfgData
    settings: EfgSettings
    strengths: dict[str, float]
    nucleus: str

    def regressor(self) -> GroupRidgeRegressor:
        """Return the regression with these strengths, for scikit-learn."""
        return GroupRidgeRegressor(self.settings.feature_groups(), self._strengths())

    def _strengths(self) -> Array:
        return np.array([self.strengths[name] for name in GROUPS])

    def rows(self, frames: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of the features that are of some frames."""
        return np.flatnonzero(np.isin(np.repeat(self.data.frame, 5), frames)).astype(np.int64)

    def predict(self, training: NDArray[np.int64], held: NDArray[np.int64]) -> Array:
        """Predict the targets of some frames by a fit to others: (targets, 5) V/Å²."""
        rows = self.rows(training)
        if not rows.size:
            raise InputError("no target in the training frames")
        data = self.data
        if data.room is not None:
            ridge = GroupRidge(
                data.features,
                data.components,
                self.settings.feature_groups(),
                [rows],
                data.row_weights,
                data.room,
            )
            return (data.features @ ridge.weights(self._strengths()))[self.rows(held)].reshape(-1, 5)
        fitted = self.regressor().fit(data.features[rows], data.components[rows], data.row_weights[rows])
        return fitted.predict(data.features[self.rows(held)]).reshape(-1, 5)

    def predict_folds(self, folds: Folds) -> Array:
        """Predict every target by the fit to the training frames of its fold: (targets, 5) V/Å²."""
        splits = [(self.rows(training), self.rows(held)) for training, held in folds]
        if not all(training.size for training, _ in splits):
            raise InputError("no target in the training frames")
        data = self.data
        if data.room is not None:
            out = np.empty((len(data.frame), 5))
            for training, held in folds:
                out[np.isin(data.frame, held)] = self.predict(training, held)
            return out
        predicted: Array = cross_val_predict(
            self.regressor(),
            data.features,
            data.components,
            cv=[split for split in splits if split[1].size],
            params={"sample_weight": data.row_weights},
        )
        return predicted.reshape(-1, 5)

    def reference(self, held: NDArray[np.int64]) -> Array:
        """Return the reference of the targets of some frames: (targets, 5) V/Å²."""
        return self.data.components[np.isin(np.repeat(self.data.frame, 5), held)].reshape(-1, 5)

    def errors(self, training: NDArray[np.int64], held: NDArray[np.int64]) -> dict[str, float]:
        """Return ``tensor_errors`` of the prediction of some frames by a fit to others."""
        return tensor_errors(self.reference(held), self.predict(training, held), self.nucleus)


def learning_curve(validator: Validator, folds: Folds, seed: int = 0) -> list[dict[str, Any]]:
    """Return held-out errors by the number of training frames.

    Of the training frames of each fold a growing part is kept (nested draws, as many of each run as its
    share); all held-out frames are predicted each time. The strengths stay those of the whole set.

    Returns
    -------
    list of dict
        ``training_frames`` (mean over folds), then ``tensor_errors`` of all and by ``phase:…``.
    """
    data = validator.data
    runs, phases = np.array(data.runs), np.array(data.phases)
    order = np.random.default_rng(seed).permutation(len(runs))
    rank = np.empty(len(runs))  # where a frame stands in its run, 0 to 1
    for run in set(data.runs):
        mine = order[runs[order] == run]
        rank[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
    # targets in the order of the folds
    order_of_folds = np.concatenate([np.flatnonzero(np.isin(data.frame, held)) for _, held in folds])
    true = data.components.reshape(-1, 5)[order_of_folds]
    parts = parts_of(phases[data.frame[order_of_folds]].tolist())
    points = []
    for fraction in LEARNING_FRACTIONS:
        kept = [(training[rank[training] <= fraction], held) for training, held in folds]
        if not all(training.size for training, _ in kept):
            continue
        found = validator.predict_folds(kept)[order_of_folds]
        points.append(
            {
                "training_frames": float(np.mean([len(training) for training, _ in kept])),
                **{name: tensor_errors(true[m], found[m], validator.nucleus) for name, m in parts.items()},
            }
        )
    return points


def system_of(frame: ase.Atoms) -> str:
    """Return the material a run started from: ``system`` of the header, else what the name of the run says.

    That is the first word of letters and a number of atoms (``b32`` of ``ufp_b32_lidis_600_r1``, ``am32`` of
    ``ufp_am32p1_600``), or the first word where there is none.
    """
    words = run_name(frame).split("_")
    named = (match.group() for match in map(SIZED.match, words) if match)
    return str(frame.info.get("system", next(named, words[0])))


def group_matrix(validator: Validator, groups: Sequence[str]) -> list[dict[str, Any]]:
    """Train on one group of frames, test on each other; and on all other groups, test on the one left out.

    Parameters
    ----------
    validator
        The data.
    groups
        Name of the group of each frame.

    Returns
    -------
    list of dict
        ``trained_on``, ``tested_on``, ``training_frames`` and ``tensor_errors``; empty for one group.
    """
    labels = np.array(groups)
    names = sorted(set(groups))
    results: list[dict[str, Any]] = []
    if len(names) < 2:
        return results
    splits = [
        (np.flatnonzero(labels == one), np.flatnonzero(labels == other))
        for one in names
        for other in names
        if one != other
    ]
    if len(names) > 2:
        splits += list(LeaveOneGroupOut().split(labels, groups=labels))
    for training, held in splits:
        results.append(
            {
                "trained_on": " + ".join(sorted(set(labels[training].tolist()))),
                "tested_on": str(labels[held[0]]),
                "training_frames": len(training),
                **validator.errors(training, held),
            }
        )
    return results


def scalar_baseline(data: EfgData, folds: Folds, nucleus: str) -> dict[str, Any]:
    """Predict C_Q alone from invariants, by ridge regression on the same folds.

    The invariants are the norms of the features, which say as much of the surroundings as a scalar model of
    the same terms can use, and a constant. The strength is the best one for each quantity, which flatters
    the baseline.

    Returns
    -------
    dict
        ``abs_cq_rmse_khz`` and ``abs_cq_mae_khz`` over all targets, ``signed_cq_rmse_khz`` over η < 0.7; and
        by phase.
    """
    norms = _norms(data.features)
    norms /= np.maximum(np.sqrt(np.mean(norms**2, axis=0)), 1e-300)
    v_zz, eta, _ = principal_values(components_to_tensor(data.components.reshape(-1, 5)))
    cq = quadrupolar_coupling_hz(v_zz, nucleus) * 1e-3
    size_errors, sign_errors = _scalar_errors(norms, [np.abs(cq), cq], data.frame, folds)
    low = eta < ETA_LIMIT
    parts = parts_of([data.phases[k] for k in data.frame.tolist()])
    return {
        name: {
            "abs_cq_rmse_khz": rms(size_errors[mine]),
            "abs_cq_mae_khz": mean(np.abs(size_errors[mine])),
            "signed_cq_rmse_khz": rms(sign_errors[mine & low]),
        }
        for name, mine in parts.items()
    }


def _norms(features: Array) -> Array:
    """Return the norms over the five components, (targets, n_features), some targets at a time."""
    out = np.empty((len(features) // 5, features.shape[1]))
    for first in range(0, len(out), NORMS_AT_ONCE):
        some = features[5 * first : 5 * (first + NORMS_AT_ONCE)]
        out[first : first + NORMS_AT_ONCE] = np.linalg.norm(some.reshape(-1, 5, some.shape[1]), axis=1)
    return out


def _scalar_errors(
    norms: Array, quantities: Sequence[Array], frame: NDArray[np.int64], folds: Folds
) -> list[Array]:
    """Return held-out errors of a ridge regression of each quantity, at its best strength."""
    count = len(norms)
    errors = np.empty((len(quantities), len(SCALAR_STRENGTHS), count))
    for training_frames, held_frames in folds:
        training, held = np.isin(frame, training_frames), np.isin(frame, held_frames)
        center = norms[training].mean(axis=0)
        inside = norms[training] - center
        # one eigendecomposition serves all quantities and strengths
        spectrum, vectors = np.linalg.eigh(inside.T @ inside)
        spectrum = np.maximum(spectrum, 0.0)
        projected = (norms[held] - center) @ vectors
        for values, found in zip(quantities, errors, strict=True):
            mean_value = values[training].mean()
            right = vectors.T @ (inside.T @ (values[training] - mean_value))
            for strength, row in zip(SCALAR_STRENGTHS, found, strict=True):
                level = strength * count
                row[held] = mean_value + projected @ (right / (spectrum + level)) - values[held]
    return [found[int(np.argmin([rms(row) for row in found]))] for found in errors]


def correlation_check(
    frames: Sequence[ase.Atoms], data: EfgData, held_out: Array, nucleus: str
) -> list[dict[str, Any]]:
    """Compare C(t) = ⟨ω_Q(0) ω_Q(t)⟩ of predicted and reference tensors over the labelled frames of each run.

    C(t) = (π C_Q/V_zz)² (2/15) ⟨Tr V(0)V(t)⟩ over targets and pairs of frames, as ω_Q = e Q V/2ħ. Lags are
    those between labelled frames, which are rarely evenly spaced; each is told with its number of pairs.
    A run counts when it has ``run_step`` and three or more frames of the same atoms.

    Returns
    -------
    list of dict
        ``run``, ``frames``, ``evenly_spaced`` (a segment of a trajectory: then the shape of C(t) is tested,
        not only its level), ``steps`` (lags in MD steps, 0 first), ``pairs``, ``reference`` and ``predicted``
        (rad²/s²), ``c0_ratio`` predicted over reference, ``normalized_rmse``: RMS over lags > 0, weighted by
        pairs, of the difference of C(t)/C(0).
    """
    per_efg = quadrupolar_coupling_hz(np.array(1.0), nucleus)
    factor = float((np.pi * per_efg) ** 2 * 2.0 / 15.0)
    reference = data.components.reshape(-1, 5)
    results = []
    for run in sorted(set(data.runs)):
        chosen = [k for k, name in enumerate(data.runs) if name == run and "run_step" in frames[k].info]
        if len(chosen) < 3 or any(
            not np.array_equal(frames[k].numbers, frames[chosen[0]].numbers) for k in chosen
        ):
            continue
        steps = np.array([int(frames[k].info["run_step"]) for k in chosen])
        rows = [np.flatnonzero(data.frame == k) for k in chosen]
        lags, pairs, curves = _correlate(
            steps, [np.array([v[r] for r in rows]) for v in (reference, held_out)]
        )
        true, found = factor * curves
        difference = found[1:] / found[0] - true[1:] / true[0]
        weight = pairs[1:]
        results.append(
            {
                "run": run,
                "frames": len(chosen),
                "evenly_spaced": len(set(np.diff(np.sort(steps)).tolist())) == 1,
                "steps": lags.tolist(),
                "pairs": pairs.tolist(),
                "reference": true.tolist(),
                "predicted": found.tolist(),
                "c0_ratio": float(found[0] / true[0]),
                "normalized_rmse": float(np.sqrt(np.sum(weight * difference**2) / np.sum(weight))),
            }
        )
    return results


def _correlate(
    steps: NDArray[np.int64], series: Sequence[Array]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return lags, numbers of pairs of frames and ⟨v(0)·v(t)⟩ of each series (frames, targets, 5)."""
    first, second = np.triu_indices(len(steps))
    apart = np.abs(steps[second] - steps[first])
    lags, place = np.unique(apart, return_inverse=True)
    pairs = np.bincount(place)
    curves = []
    for values in series:
        products = np.sum(values[first] * values[second], axis=2).mean(axis=1)
        curves.append(np.bincount(place, weights=products) / pairs)
    return lags, pairs, np.array(curves)
