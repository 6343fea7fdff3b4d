"""What a fitted UFP knows: the posterior covariance of its coefficients, and what a frame would add to it."""

import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ase
import numpy as np
import scipy.linalg
from ase.calculators.singlepoint import SinglePointCalculator
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, FileFormatError, InputError
from lpsnmr.fitting.datasets import weight_of
from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.fitting.features import FeatureStore, SparseRows
from lpsnmr.fitting.memory import room_for_features
from lpsnmr.fitting.sidecar import sidecar_path
from lpsnmr.parallel.ranks import OneRank
from lpsnmr.potential import BasisSettings, FitSettings, Layout, PriorSettings, WeightSettings
from lpsnmr.potential.density import density_from_json
from lpsnmr.potential.prior import build_prior
from lpsnmr.potential.rows import calibrate, frame_rows, row_weights, sparse_features
from lpsnmr.typing import Array

__all__ = ["UfpPosterior", "settings_of_potential"]

FORCE = 1
MATRICES = 4
"""Matrices of (columns, columns) that are held at once."""


def _tuples(value: Any) -> Any:
    """Turn the lists of JSON into tuples."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def settings_of_potential(potential: str | os.PathLike[str]) -> FitSettings:
    """Read from the sidecar of a potential how it was fitted, with the prior that was chosen.

    Cross-validation, search and bootstrap are left out: ``folds`` is 0.

    Raises
    ------
    FileFormatError
        For a sidecar that is missing or is not one of ``lpsnmr fit-ufp``.
    """
    path = sidecar_path(potential)
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        settings, prior = record["settings"], record["prior"]
        known = {f.name for f in dataclasses.fields(BasisSettings)}
        plain = {k: _tuples(v) for k, v in settings["basis"].items() if k in known and k != "density"}
        basis = BasisSettings(**plain, density=density_from_json(settings["basis"].get("density", ())))
        weights = {
            k: float("inf") if settings["weights"][k] is None else settings["weights"][k]
            for k in (f.name for f in dataclasses.fields(WeightSettings))
        }
        # sidecars from before there were density terms have no width for them
        newer = () if basis.density else ("density", "anchor")
        names = [f.name for f in dataclasses.fields(PriorSettings) if f.name not in newer]
        optional = ("monotone_core", "run_weights", "learning_curve", "labels")
        return FitSettings(
            basis,
            (PriorSettings(**{k: prior[k] for k in names}),),
            WeightSettings(**weights),
            folds=0,
            **{k: _tuples(settings[k]) for k in optional if k in settings},
        )
    except OSError as error:
        raise FileFormatError(f"{path}: no sidecar of {Path(potential).name}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(f"{path}: not a sidecar written by lpsnmr fit-ufp: {error!r}") from error


class UfpPosterior:
    """Gaussian posterior of the coefficients of a UFP given labelled frames.

    With the weighted rows X of the frames and the penalty matrix R of the prior, the covariance of the
    coefficients is (XᵀX + R)⁻¹ (C. M. Bishop, Pattern Recognition and Machine Learning, section 3.3). It
    depends on where data are, not on their labels. Every coefficient of the basis is in it: those that no
    frame touches keep their prior width.

    Parameters
    ----------
    settings
        As in the fit; of ``priors`` the first.
    frames
        Frames whose labels are known (or will be).
    progress
        Called with (done, total) frames.
    """

    def __init__(
        self,
        settings: FitSettings,
        frames: Sequence[ase.Atoms],
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        layout = Layout.from_settings(settings.basis)
        store = FeatureStore(room_for_features(layout.columns, MATRICES, OneRank()))
        self.layout = calibrate(layout, frames, store)
        self.settings = settings
        elements = len(settings.basis.elements)
        equations = NormalEquations(self.layout.columns + elements)
        for n, frame in enumerate(frames):
            features = store.get(n, lambda: sparse_features(self.layout, frame))  # noqa: B023
            design, _, _ = self._design(frame, features)
            equations.add(design, np.zeros(design.shape[1]))
            if progress:
                progress(n + 1, len(frames))
        equations.flush()
        columns = np.arange(self.layout.columns)
        penalty = build_prior(self.layout, settings.priors[0], columns, [0.0]).matrix.toarray()
        self._matrix = np.asfortranarray(equations.gram + np.tril(penalty))
        self._factorise()

    def _factorise(self) -> None:
        try:
            self._lower = scipy.linalg.cholesky(self._matrix, lower=True, check_finite=False)
        except scipy.linalg.LinAlgError as error:
            raise ComputeError(
                "the posterior matrix is not positive definite; narrower priors help"
            ) from error

    def _design(
        self, frame: ase.Atoms, features: SparseRows | None = None
    ) -> tuple[Array, NDArray[np.int8], Array]:
        """Return weighted rows (columns, rows), their kind and their weights."""
        blank = ase.Atoms(numbers=frame.numbers, positions=frame.positions, cell=frame.cell, pbc=frame.pbc)
        blank.info["source"] = frame.info.get("source", frame.info.get("run", "frame"))
        weights = self.settings.weights
        stress = {"stress": np.zeros(6)} if np.isfinite(weights.stress_gpa) else {}
        forces = np.zeros((len(frame), 3))
        blank.calc = SinglePointCalculator(blank, energy=0.0, forces=forces, **stress)
        rows = frame_rows(self.layout, blank, features=features)
        weight = row_weights(rows.kind, weights, weight_of(frame, self.settings.run_weights))
        return rows.design * weight, rows.kind, weight

    def _whitened(self, design: Array) -> Array:
        out: Array = scipy.linalg.solve_triangular(self._lower, design, lower=True, check_finite=False)
        return out

    def information_gain(self, frame: ase.Atoms) -> float:
        """Return ½ ln det(1 + X C Xᵀ) of a frame's rows X: the bits (nats) its labels would teach."""
        white = self._whitened(self._design(frame)[0])
        _, logarithm = np.linalg.slogdet(np.eye(white.shape[1]) + white.T @ white)
        return 0.5 * float(logarithm)

    def force_uncertainty(self, frame: ase.Atoms) -> Array:
        """Return the posterior standard deviation of the force on each atom, (n,) float64, eV/Å.

        The root of the summed variances of the three components. It is the part of the error that comes
        from too few data, not the part that no coefficients can remove.
        """
        design, kind, weight = self._design(frame)
        white = self._whitened(design[:, kind == FORCE] / weight[kind == FORCE])
        return np.asarray(np.sqrt((white**2).sum(axis=0).reshape(-1, 3).sum(axis=1)))

    def add(self, frame: ase.Atoms) -> None:
        """Count a frame as labelled."""
        design = np.asfortranarray(self._design(frame)[0])
        self._matrix = scipy.linalg.blas.dsyrk(1.0, design, beta=1.0, c=self._matrix, lower=1, overwrite_c=1)
        self._factorise()

    def select(
        self,
        frames: Sequence[ase.Atoms],
        count: int,
        groups: Sequence[str] | None = None,
        per_group: int | Mapping[str, int] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[tuple[int, float]]:
        """Choose frames one by one, each the one that teaches most given those before it.

        The gain of a set of frames is submodular, so this greedy choice reaches at least 63 % of the best
        possible gain (G. L. Nemhauser et al., Math. Program. 14, 265 (1978), doi:10.1007/BF01588971), and
        gains of earlier steps are upper bounds that save most evaluations. The chosen frames are counted
        as labelled afterwards.

        Parameters
        ----------
        frames
            Candidates.
        count
            How many to choose at most.
        groups, per_group
            Group of each candidate and how many of one group may be chosen, one number for all or one for
            each (0 for a group that is not named).
        progress
            Called with (chosen, count).

        Returns
        -------
        list of (index, gain in nats), in the order of choice

        Raises
        ------
        InputError
            For a count below one or groups that do not fit the frames.
        """
        if count < 1:
            raise InputError(f"selection: expected to choose at least one frame, got {count}")
        names = list(groups) if groups is not None else [""] * len(frames)
        if len(names) != len(frames):
            raise InputError(f"selection: {len(names)} groups for {len(frames)} frames")
        bounds = {k: self.information_gain(frame) for k, frame in enumerate(frames)}
        fresh = set(bounds)
        taken: dict[str, int] = {}
        chosen: list[tuple[int, float]] = []
        while bounds and len(chosen) < count:
            best = max(bounds, key=lambda k: (bounds[k], -k))
            limit = per_group.get(names[best], 0) if isinstance(per_group, Mapping) else per_group
            if limit is not None and taken.get(names[best], 0) >= limit:
                del bounds[best]
                continue
            if best not in fresh:
                bounds[best] = self.information_gain(frames[best])
                fresh.add(best)
                continue
            chosen.append((best, bounds.pop(best)))
            taken[names[best]] = taken.get(names[best], 0) + 1
            self.add(frames[best])
            fresh = set()
            if progress:
                progress(len(chosen), count)
        return chosen
