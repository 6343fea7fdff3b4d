"""From labelled frames to a model with its provenance and a report: what ``lpsnmr fit-efg`` does."""

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import ase
import numpy as np

from lpsnmr.efg.dataset import (
    EfgData,
    build_data,
    default_nucleus,
    species_of_frames,
    symbols_to_numbers,
)
from lpsnmr.efg.model import EfgModel
from lpsnmr.efg.regression import FitResult, fit_weights
from lpsnmr.efg.roles import default_bridges, default_sources, default_target
from lpsnmr.efg.settings import EfgSettings
from lpsnmr.efg.validation import (
    Folds,
    Validator,
    correlation_check,
    group_matrix,
    learning_curve,
    scalar_baseline,
    system_of,
)
from lpsnmr.elements import symbol_of
from lpsnmr.errors import InputError
from lpsnmr.fitting.folds import BlockFold
from lpsnmr.fitting.memory import check_matrices, room_for_features
from lpsnmr.fitting.sidecar import describe_files, plain, write_record
from lpsnmr.nuclides import nuclide
from lpsnmr.parallel import OneRank
from lpsnmr.reference import blocks_by_run, run_name
from lpsnmr.version import __version__

__all__ = ["TrainedModel", "TrainingOptions", "train_model"]

MOST_FOLDS = 12
MATRICES = 4
"""Matrices beside those of the folds and of all but one of them."""


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """Choices of a fit; see the options of ``lpsnmr fit-efg``.

    ``targets`` are the elements to learn, each with weights of its own; ``nuclei`` the isotopes whose C_Q is
    told, where they are not the default ones. ``source_species`` are the elements with charges and dipoles
    that depend on their neighbours (by default P and S where they occur), ``disordered_weight`` is how much
    the squared errors of a disordered frame count against those of a crystal. ``terms`` are entries of
    ``EfgSettings`` that differ from their defaults; the species are those of the frames. ``learning_curve``
    and ``groups`` (train on one material and phase, test on another) add to the report; they take as many
    further fits. ``memory`` are the bytes that matrices and features may take, by default those that the
    machine or the job has left; features beyond half of that go into a scratch file.
    """

    targets: tuple[str, ...] | None = None
    nuclei: tuple[str, ...] = ()
    unit: str = "au"
    folds: int | None = None
    steps_per_block: int | None = None
    seed: int = 0
    bridge_species: tuple[str, ...] | None = None
    source_species: tuple[str, ...] | None = None
    disordered_weight: float = 0.35
    terms: dict[str, Any] = dataclasses.field(default_factory=dict)
    learning_curve: bool = False
    groups: bool = False
    memory: int | None = None


@dataclasses.dataclass(frozen=True)
class TrainedModel:
    """A model, the fits behind it by target, and the report on both (plain numbers and strings)."""

    model: EfgModel
    results: dict[str, FitResult]
    report: dict[str, Any]

    def write_report(self, path: str | os.PathLike[str]) -> Path:
        """Write the report as JSON; NaN becomes null."""
        write_record(path, self.report)
        return Path(path)


def train_model(
    frames: Sequence[ase.Atoms],
    sources: Iterable[str | os.PathLike[str]],
    options: TrainingOptions,
    on_frame: Callable[[], None] | None = None,
    on_step: Callable[[float], None] | None = None,
) -> TrainedModel:
    """Fit a model to labelled frames; the same input gives the same model.

    Parameters
    ----------
    frames
        What ``read_reference`` returned.
    sources
        The files the frames came from; their names and hashes go into the provenance.
    options
        Choices of the fit.
    on_frame, on_step
        Progress: after each frame; after each trial of the regularisation, with the best RMSE in V/Å².

    Raises
    ------
    InputError
        For options or data that cannot be fitted.
    """
    targets = options.targets
    if targets is None:
        targets = (default_target([symbol_of(z) for z in species_of_frames(frames)]),)
    nuclei = _nuclei(targets, options.nuclei)
    settings = _settings(frames, options)
    labels = blocks_by_run(frames, options.steps_per_block)
    n_blocks = len(np.unique(labels))
    splitter = BlockFold(options.folds or min(n_blocks, MOST_FOLDS), options.seed)
    folds = list(splitter.split(labels, groups=labels))
    size, matrices = settings.basis().size, 2 * len(folds) + MATRICES
    check_matrices(size, matrices, OneRank(), options.memory)
    room = room_for_features(size, matrices, OneRank(), options.memory)
    results: dict[str, FitResult] = {}
    told: dict[str, dict[str, Any]] = {}
    for target, nucleus in nuclei.items():
        data = build_data(frames, settings, target, options.unit, options.disordered_weight, on_frame, room)
        results[target] = fit_weights(data, settings, folds, nucleus, on_step=on_step)
        told[target] = _describe_fit(frames, data, settings, folds, results[target], nucleus, options)
    provenance = {
        "lpsnmr": __version__,
        "data": describe_files(sources),
        "frames": len(frames),
        "frames_per_run": dict(sorted(Counter(run_name(frame) for frame in frames).items())),
        "efg_unit_of_data": options.unit,
        "disordered_weight": options.disordered_weight,
        "held_out": f"{'stretches of runs' if options.steps_per_block else 'whole runs'}, "
        f"{len(folds)} folds of {n_blocks} blocks, seed {options.seed}",
        "targets": {
            target: {
                **{name: fit[name] for name in ("nucleus", "tensors", "strengths")},
                "held_out_errors": _without_runs(fit["held_out_errors"]),
                "coverage": _without_runs(fit["coverage"]),
                "sigma_median": fit["sigma_median"],
            }
            for target, fit in told.items()
        },
    }
    model = EfgModel(settings, {t: result.part for t, result in results.items()}, provenance)
    report = {
        **provenance,
        "features": len(next(iter(results.values())).part.weights),
        "settings": settings.to_dict(),
        "targets": told,
        "model_sha256": model.sha256,
    }
    return TrainedModel(model, results, report)


def _settings(frames: Sequence[ase.Atoms], options: TrainingOptions) -> EfgSettings:
    """Return the terms of the model; by default bridges and sources follow from the elements there are."""
    species = species_of_frames(frames)
    symbols = [symbol_of(z) for z in species]
    bridges = default_bridges(symbols) if options.bridge_species is None else options.bridge_species
    sources = default_sources(symbols) if options.source_species is None else options.source_species
    return dataclasses.replace(
        EfgSettings(),
        species=species,
        bridges=symbols_to_numbers(bridges),
        **{"sources": symbols_to_numbers(sources), **options.terms},
    )


def _nuclei(targets: tuple[str, ...], nuclei: tuple[str, ...]) -> dict[str, str]:
    """Return the nucleus of each target; InputError for one that is not of a target."""
    if not targets or len(set(targets)) != len(targets):
        raise InputError(f"expected target elements, each once, got {', '.join(targets) or 'none'}")
    given = {nuclide(name).element: name for name in nuclei}
    for element, nucleus in given.items():
        if element not in targets:
            raise InputError(f"nucleus {nucleus}: {element} is not among {', '.join(targets)}")
    return {target: given.get(target) or default_nucleus(target) for target in targets}


def _describe_fit(
    frames: Sequence[ase.Atoms],
    data: EfgData,
    settings: EfgSettings,
    folds: Folds,
    result: FitResult,
    nucleus: str,
    options: TrainingOptions,
) -> dict[str, Any]:
    """Return what the report tells about the fit of one target."""
    told: dict[str, Any] = {
        "nucleus": nucleus,
        "tensors": len(data.frame),
        "strengths": result.strengths,
        "training_rmse_percent": result.training_rmse_percent,
        "held_out_errors": result.errors,
        "coverage": result.coverage,
        "sigma_median": float(np.median(result.sigma)),
        "scalar_baseline": scalar_baseline(data, folds, nucleus),
        "correlation": correlation_check(frames, data, result.held_out, nucleus),
    }
    validator = Validator(data, settings, result.strengths, nucleus)
    if options.learning_curve:
        told["learning_curve"] = learning_curve(validator, folds, options.seed)
    if options.groups:
        groups = [f"{system_of(frame)} {phase}" for frame, phase in zip(frames, data.phases, strict=True)]
        told["groups"] = group_matrix(validator, groups)
    return told


def _without_runs(parts: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of all and of phases, with NaN as None."""
    return {name: plain(entry) for name, entry in parts.items() if not name.startswith("run:")}
