"""From labelled frames to a model with its provenance and a report: what ``lpsnmr fit-efg`` does."""

import dataclasses
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import ase
import numpy as np

from lpsnmr import __version__
from lpsnmr.efg.dataset import build_data, default_nucleus, species_of_frames, symbols_to_numbers
from lpsnmr.efg.model import EfgModel
from lpsnmr.efg.regression import FitResult, fit_weights
from lpsnmr.efg.settings import EfgSettings
from lpsnmr.errors import FileFormatError
from lpsnmr.io.atomic import written_aside
from lpsnmr.reference import blocks_by_run, split_blocks
from lpsnmr.units import quadrupolar_coupling_hz_per_efg

__all__ = ["TrainedModel", "TrainingOptions", "train_model"]

MOST_FOLDS = 12


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """Choices of a fit; see the options of ``lpsnmr fit-efg``.

    ``terms`` are entries of ``EfgSettings`` that differ from their defaults; the species are those of the
    frames.
    """

    target: str = "Li"
    nucleus: str | None = None
    unit: str = "au"
    folds: int | None = None
    steps_per_block: int | None = None
    seed: int = 0
    bridge_species: tuple[str, ...] = ("S",)
    terms: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class TrainedModel:
    """A model, the fit behind it and the report on both (plain numbers and strings)."""

    model: EfgModel
    result: FitResult
    report: dict[str, Any]

    def write_report(self, path: str | os.PathLike[str]) -> Path:
        """Write the report as JSON; NaN becomes null."""
        text = json.dumps(_without_nan(self.report), indent=1, ensure_ascii=False) + "\n"
        with written_aside(path) as aside:
            aside.write_text(text, encoding="utf-8")
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
    nucleus = options.nucleus or default_nucleus(options.target)
    quadrupolar_coupling_hz_per_efg(nucleus)
    settings = dataclasses.replace(
        EfgSettings(),
        species=species_of_frames(frames),
        bridges=symbols_to_numbers(options.bridge_species),
        **options.terms,
    )
    labels = blocks_by_run(frames, options.steps_per_block)
    n_blocks = len(np.unique(labels))
    folds = split_blocks(labels, options.folds or min(n_blocks, MOST_FOLDS), options.seed)
    data = build_data(frames, settings, options.target, options.unit, on_frame)
    result = fit_weights(data, settings, folds, nucleus, on_step=on_step)
    provenance = {
        "lpsnmr": __version__,
        "data": _describe_sources(sources),
        "frames": len(frames),
        "frames_per_run": dict(sorted(Counter(data.runs).items())),
        "tensors": len(data.frame),
        "target": options.target,
        "nucleus": nucleus,
        "efg_unit_of_data": options.unit,
        "held_out": f"{'stretches of runs' if options.steps_per_block else 'whole runs'}, "
        f"{len(folds)} folds of {n_blocks} blocks, seed {options.seed}",
        "strengths": result.strengths,
        "held_out_errors": {
            name: _without_nan(errors)
            for name, errors in result.errors.items()
            if not name.startswith("run:")
        },
    }
    model = EfgModel(settings, {options.target: result.part}, provenance)
    report = {
        **provenance,
        "features": len(result.part.weights),
        "settings": settings.to_dict(),
        "training_rmse_percent": result.training_rmse_percent,
        "held_out_errors": result.errors,
        "model_sha256": model.sha256,
    }
    return TrainedModel(model, result, report)


def _describe_sources(sources: Iterable[str | os.PathLike[str]]) -> dict[str, Any]:
    """Return names and SHA-256 of files: of each when they are few, of all together always."""
    whole = hashlib.sha256()
    names = []
    for path in map(Path, sources):
        try:
            whole.update(path.read_bytes())
        except OSError as error:
            raise FileFormatError(f"{path}: cannot be read: {error.strerror}") from error
        names.append(path.name)
    return {"files": names if len(names) <= 8 else f"{len(names)} files", "sha256": whole.hexdigest()}


def _without_nan(value: Any) -> Any:
    """Return the same structure with NaN as None, which JSON can hold."""
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
