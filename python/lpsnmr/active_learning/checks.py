"""What can be known to fail before anything is sampled or labelled."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ase

from lpsnmr.active_learning.plan import LearnPlan, PlannedRun
from lpsnmr.active_learning.settings import LABELS, LearnSettings
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.fitting.datasets import weight_of
from lpsnmr.fitting.sidecar import sidecar_path
from lpsnmr.labelling.label_store import LabelStore
from lpsnmr.labelling.term_engine import TermEngine
from lpsnmr.md.scheduled_frames import FrameSettings
from lpsnmr.potential import Extrapolation, Layout, Ufp
from lpsnmr.potential.core_repulsion import shortest_distances
from lpsnmr.potential.provenance import extrapolation_path
from lpsnmr.reference import blocks_by_run, read_reference
from lpsnmr.reference.terms import LabelChoice, chosen_labels
from lpsnmr.structures.checks import check_distances
from lpsnmr.structures.packing import units_and_lithium

__all__ = ["check", "check_folds", "check_plan"]

LARGEST_SEED = 2**31 - 1
LITHIUM, SULFUR = 3, 16


def _check_potential(settings: LearnSettings) -> Layout:
    """Open all files of the potential; return the layout of its refits.

    A potential fitted to more than reference frames is refused: a refit would leave the rest out.
    """
    layout = Layout.from_settings(settings.fit_settings(settings.potential).basis)
    path = sidecar_path(settings.potential)
    record = json.loads(path.read_text(encoding="utf-8"))
    names = [str(data.get("name")) for data in record.get("data", ())[1:]]
    if names:
        raise InputError(
            f"{settings.potential}: fitted to further data ({', '.join(names)}), which refits would leave "
            "out; expected a potential of fit-ufp without --second"
        )
    energies, elements = record.get("reference_energies_eV"), layout.settings.elements
    if not isinstance(energies, dict) or not set(elements) <= set(energies):
        raise FileFormatError(f"{path}: expected reference_energies_eV of {' '.join(elements)}")
    found = Ufp(settings.potential).elements
    if set(found) != set(elements):
        raise InputError(
            f"{settings.potential}: has the elements {' '.join(found)}; expected {' '.join(elements)} as in "
            f"{path.name}"
        )
    if extrapolation_path(settings.potential).is_file():
        Extrapolation(extrapolation_path(settings.potential))
    return layout


def _check_fit(settings: LearnSettings, layout: Layout, frames: Sequence[ase.Atoms]) -> None:
    """Refuse settings of the refit, and reference frames that it cannot use."""
    fit = settings.fit_settings(settings.potential)  # refuses folds that cannot be
    _check_labels(settings, fit.labels, frames)
    for frame in frames:
        layout.species(frame.get_chemical_symbols(), str(frame.info["source"]))
        weight_of(frame)
        shortest, start = float(shortest_distances(layout, [frame]).min()), layout.settings.two_body_start
        if shortest < start:
            raise InputError(
                f"{frame.info['source']}: two atoms are {shortest:.3f} Å apart; expected at least {start:g}, "
                "where the potential begins"
            )
    check_folds(settings, frames, _most_new_blocks(settings))


def _check_labels(settings: LearnSettings, labels: str, frames: Sequence[ase.Atoms]) -> None:
    """Refuse frames without the labels that the potential was fitted to, and an engine of others."""
    chosen_labels(frames, labels)
    choice = LabelChoice.parse(labels)
    if choice.term:
        TermEngine(choice.term, choice.functional)
    if settings.engine.name == "gpaw" and settings.engine.gpaw.xc != choice.functional:
        raise InputError(
            f"{settings.potential}: fitted to {labels}; expected labels of {choice.functional}, got "
            f"{settings.engine.gpaw.xc}"
        )


def _most_new_blocks(settings: LearnSettings) -> int:
    """Return how many blocks the labels of a round can add: one per run, or per frame in blocks of steps."""
    limits = [settings.limit(planned) for planned in settings.plan.run]
    per_run = 1 if settings.steps_per_block is None else settings.frames
    return min(settings.frames, sum(min(per_run, limit) for limit in limits))


def check_folds(
    settings: LearnSettings, frames: Sequence[ase.Atoms], new: int = 0, what: str = "the reference frames"
) -> None:
    """Refuse more folds than ``frames`` and ``new`` further blocks make up.

    Raises
    ------
    InputError
        Names the number of blocks of ``what``, and the options that help.
    """
    if not settings.folds:
        return
    try:
        blocks = len(set(blocks_by_run(frames, settings.steps_per_block).tolist()))
    except InputError as error:
        raise InputError(f"refits to {what}: {error}") from error
    if blocks + new < settings.folds:
        more = f" and at most {new} of a round" if new else ""
        raise InputError(
            f"folds: expected at most the number of blocks, {blocks} of {what}{more}, got {settings.folds}; "
            "--folds 0 measures nothing on frames held out, --steps-per-block makes shorter blocks"
        )


def _check_recipe(
    settings: LearnSettings, frames: Sequence[ase.Atoms], label_id: str, provenance: Mapping[str, Any]
) -> None:
    """Refuse labels of another recipe than the reference frames carry, as merge-labels does."""
    recipes = {str(f.info["label_id"]): str(f.info.get("label", "")) for f in frames if "label_id" in f.info}
    if settings.mix_labels or not recipes or set(recipes) == {label_id}:
        return
    versions = ", ".join(f"{k} {provenance[k]}" for k in ("gpaw", "ase") if k in provenance)
    own = f"{label_id} ({versions})" if versions else label_id
    theirs = [f"{k} ({label})" if label else k for k, label in sorted(recipes.items())]
    raise InputError(
        f"engine {settings.engine.name}: its labels have the recipe (label_id) {own}, the reference frames "
        f"have {', '.join(theirs)}; expected one recipe (engine, versions, settings), or --mix-labels, which "
        "is right where only versions differ"
    )


def _last_ps(planned: PlannedRun, plan: LearnPlan) -> float:
    """Return the time of the last frame of a trajectory, as ``sample`` counts it."""
    steps = max(1, round(plan.interval_ps * 1e3 / plan.timestep_fs))
    intervals = sum(max(1, round(length / plan.interval_ps)) for length, _, _ in planned.stages)
    return intervals * steps * plan.timestep_fs * 1e-3


def _check_run(planned: PlannedRun, plan: LearnPlan, layout: Layout, minimum: float) -> None:
    planned.schedule()
    last = _last_ps(planned, plan)
    if not last > planned.discard_ps:
        raise InputError(
            f"discard_ps: expected less than the {last:g} ps of its stages, got {planned.discard_ps:g}"
        )
    atoms = planned.crystal()
    layout.species(atoms.get_chemical_symbols(), planned.structure)
    if len(atoms) < 2:
        raise InputError(f"{planned.structure}: expected at least two atoms to move, got {len(atoms)}")
    if planned.pack:
        units_and_lithium(atoms)
        return
    if planned.li_disorder and not {LITHIUM, SULFUR} <= set(atoms.numbers.tolist()):
        raise InputError(f"li_disorder: expected Li and S, got {atoms.get_chemical_formula()}")
    check_distances(atoms, minimum)


def check_plan(plan: LearnPlan, layout: Layout, potential: Path) -> None:
    """Refuse a plan with a run that cannot be sampled; structures are read, nothing is packed or moved.

    Raises
    ------
    InputError
        Names the plan file, the run, and what is wrong with it.
    """
    try:
        sampling = FrameSettings(potential, timestep_fs=plan.timestep_fs, interval_ps=plan.interval_ps)
    except InputError as error:
        raise InputError(f"{plan.where}: {error}") from error
    for planned in plan.run:
        try:
            _check_run(planned, plan, layout, sampling.minimum_angstrom)
        except InputError as error:
            raise InputError(f"{plan.where}: run {planned.name}: {error}") from error
    if all(planned.most == 0 for planned in plan.run):
        raise InputError(f"{plan.where}: expected a run with most above 0, got 0 for all; nothing to label")


def check(settings: LearnSettings) -> str:
    """Check all that can be before anything is written; return the recipe of the labels (``label_id``).

    Raises
    ------
    InputError
        For settings of the fit, a potential, reference frames or a plan that cannot be used, an engine that
        does not open, or labels of another recipe than the reference has.
    """
    layout = _check_potential(settings)
    frames = read_reference(settings.reference, require=LABELS)
    _check_fit(settings, layout, frames)
    largest = settings.trajectory_seed(settings.rounds, len(settings.plan.run) - 1)
    if settings.seed < 0 or largest > LARGEST_SEED:
        raise InputError(f"seed: expected 0 to {LARGEST_SEED - largest + settings.seed}, got {settings.seed}")
    check_plan(settings.plan, layout, settings.potential)
    engine = settings.engine.open()
    try:
        provenance = engine.provenance()
    finally:
        engine.close()
    label_id = LabelStore(settings.folder, provenance).settings_id
    _check_recipe(settings, frames, label_id, provenance)
    return label_id
