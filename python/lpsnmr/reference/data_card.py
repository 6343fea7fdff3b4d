"""The data card of a reference set: what no computer knows as text, the rest counted from the frames."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import ase
import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.labelling.dispersion import DISPERSION, DispersionModel
from lpsnmr.labelling.gpaw_settings import FUNCTIONALS
from lpsnmr.reference.card_text import (
    CONTENTS,
    DISPERSION_HEAD,
    HEAD,
    METHOD,
    OTHER_FUNCTIONAL,
    STEPS,
    STRUCTURES,
)
from lpsnmr.reference.splits import blocks_by_run, run_name, split_blocks
from lpsnmr.reference.terms import Term, functional_of, term_of
from lpsnmr.structures import report_structure
from lpsnmr.units import EFG_AU_V_PER_ANGSTROM2, EV_PER_ANGSTROM3_GPA, quadrupolar_coupling_hz_per_efg

__all__ = ["data_card", "phase_of_run", "write_data_card"]

LITHIUM = 3
STEEP = 0.1
"""Force of a dispersion correction (eV/Å) that a smooth one does not reach at atoms that do not touch."""
FOLDS = 5
PHASES = (
    "β crystal",
    "γ crystal",
    "strained crystal at rest",
    "β cell above 1000 K",
    "γ cell above 1000 K",
    "melt",
    "quench",
    "clustering",
    "amorphous",
    "other",
)


def phase_of_run(run: str, temperature: float | None) -> str:
    """Return the phase that the name of a run stands for, one of ``PHASES``.

    Names are made of words: ``b32``/``g32`` say the crystal and its atoms, ``eos``, ``quench``, ``melt`` and
    ``am`` what was done to it; a ``b32_1800`` is a melt because β melts below. ``hot`` are the cells that a
    potential let cluster.

    Examples
    --------
    >>> [phase_of_run(*pair) for pair in [("ufp_g32_v+3_700", 700), ("b32_quench", 1800), ("b32_2500", 2500)]]
    ['γ crystal', 'quench', 'melt']
    """
    words = run.split("_")
    if "eos" in words:
        return "strained crystal at rest"
    if "hot" in words:
        return "clustering"
    if "quench" in words:
        return "quench"
    if any(word.startswith("am") for word in words):
        return "amorphous"
    if "melt" in words or (temperature is not None and temperature >= 1500):
        return "melt"
    for letter, name in (("b", "β"), ("g", "γ")):
        if any(word[:1] == letter and word[1:].isdigit() for word in words):
            hot = temperature is not None and temperature > 1000
            return f"{name} cell above 1000 K" if hot else f"{name} crystal"
    return "other"


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _temperature(frames: Sequence[ase.Atoms]) -> str:
    values = [float(f.info["run_T"]) for f in frames if "run_T" in f.info]
    if not values:
        return "–"
    return f"{min(values):.0f}" if max(values) - min(values) < 1 else f"{max(values):.0f}–{min(values):.0f}"


def _phase(frames: Sequence[ase.Atoms]) -> str:
    values = [float(f.info["run_T"]) for f in frames if "run_T" in f.info]
    return phase_of_run(run_name(frames[0]), max(values) if values else None)


def _run_table(frames: Sequence[ase.Atoms]) -> list[str]:
    """Return one row per run, grouped by phase, and the sums by phase."""
    by_run: dict[str, list[ase.Atoms]] = {}
    for frame in frames:
        by_run.setdefault(run_name(frame), []).append(frame)
    kilohertz = quadrupolar_coupling_hz_per_efg("7Li") * EFG_AU_V_PER_ANGSTROM2 * 1e-3
    lines = [
        "| run | phase | T / K | frames | force r.m.s. / eV/Å | Li \\|C_Q\\| r.m.s. / kHz | g/cm³ |",
        "|---|---|---|---|---|---|---|",
    ]
    totals: Counter[str] = Counter()
    rows = []
    for run, members in by_run.items():
        phase = _phase(members)
        totals[phase] += len(members)
        forces = _rms(np.concatenate([f.get_forces() for f in members]))
        lithium = np.concatenate([f.arrays["efg"][f.numbers == LITHIUM] for f in members])
        largest = np.abs(np.linalg.eigvalsh(lithium.reshape(-1, 3, 3))).max(axis=1)
        density = [report_structure(f).density for f in members]
        rows.append(
            (
                PHASES.index(phase),
                run,
                f"| `{run}` | {phase} | {_temperature(members)} | {len(members)} | {forces:.2f} | "
                f"{abs(kilohertz) * _rms(largest):.0f} | {min(density):.2f}–{max(density):.2f} |",
            )
        )
    lines += [text for *_, text in sorted(rows)]
    sums = ", ".join(f"{phase} {totals[phase]}" for phase in PHASES if totals[phase])
    n_li = sum(int((f.numbers == LITHIUM).sum()) for f in frames)
    return [*lines, "", f"{len(frames)} frames, {n_li} Li tensors. By phase: {sums}."]


def _split_lines(frames: Sequence[ase.Atoms]) -> list[str]:
    """Return which runs are held out together in each fold."""
    labels = blocks_by_run(frames)
    folds = min(FOLDS, len(set(labels.tolist())))
    if folds < 2:
        return ["One run only: no split by run is possible."]
    lines = [
        "Frames of one run are snapshots of one trajectory and are correlated: split by `run` or by\n"
        f"stretches of `run_step` (`lpsnmr.reference.blocks_by_run`), never at random. The {folds} folds of\n"
        f"`split_blocks(blocks_by_run(frames), {folds}, seed=0)`, which `fit-ufp` and `fit-efg` hold out by\n"
        "default when they are given this file alone:",
        "",
    ]
    for number, (_, held_out) in enumerate(split_blocks(labels, folds, 0), start=1):
        counts = Counter(run_name(frames[k]) for k in held_out)
        lines.append(f"{number}. " + ", ".join(f"`{run}` ({n})" for run, n in sorted(counts.items())))
    return lines


def _ranges(frames: Sequence[ase.Atoms]) -> list[str]:
    """Return what the frames cover: cells, contacts, PS4 units, recipes."""
    shortest: dict[str, float] = {}
    whole = total = 0
    for frame in frames:
        report = report_structure(frame)
        whole, total = whole + report.n_intact, total + report.n_phosphorus
        for pair, value in report.shortest_pairs.items():
            shortest[pair] = min(value, shortest.get(pair, value))
    formulas = Counter(f.get_chemical_formula() for f in frames)
    recipes = Counter(str(f.info.get("label_id", "before labels carried one")) for f in frames)
    kpoints = Counter(str(f.info.get("kpts", "not said")) for f in frames)
    return [
        "- Cells: " + ", ".join(f"{formula} ({n})" for formula, n in sorted(formulas.items())) + ".",
        "- Shortest distances, Å: "
        + ", ".join(f"{pair} {d:.2f}" for pair, d in sorted(shortest.items()))
        + ".",
        f"- {whole} of {total} P have exactly four S within 2.7 Å.",
        "- k-points: " + ", ".join(f"{k} ({n})" for k, n in sorted(kpoints.items())) + ".",
        "- Recipe (`label_id`): " + ", ".join(f"{k} ({n})" for k, n in sorted(recipes.items())) + ".",
    ]


def _gaps(frames: Sequence[ase.Atoms]) -> list[str]:
    """Return what is not in the set."""
    phases = Counter(_phase([f]) for f in frames)
    sizes = sorted({len(f) for f in frames})
    reduced = {f.symbols.formula.reduce()[0].format("hill") for f in frames}
    lines = []
    if len(reduced) == 1:
        lines.append(
            f"- One composition, {next(iter(reduced))}: no Li vacancy or excess, no surface, no other "
            "thiophosphate;\n  broken and edge-sharing units only as hot runs made them."
        )
    if len(sizes) == 1:
        lines.append(
            f"- One cell size, {sizes[0]} atoms: nothing tests longer wavelengths or the finite cell."
        )
    wanted = [p for p in PHASES if p not in ("clustering", "other")]
    missing = [p for p in wanted if not phases[p]]
    if missing:
        lines.append(f"- No frame of: {', '.join(missing)}.")
    scarce = [f"{p} ({phases[p]})" for p in wanted if 0 < phases[p] < 20]
    if scarce:
        lines.append(f"- Fewer than twenty frames of: {', '.join(scarce)}.")
    return [
        *lines,
        "- Amorphous cells are small, and made in a fraction of a nanosecond or by packing units at random.",
        "- `b32_quench` carries the temperature of its start in `run_T`, later quenches the thermostat's.",
        "- The tensor in the crystal was not compared with a second code.",
        "- No zero-point or relativistic effects beyond those in the atomic datasets.",
    ]


def _other_functional(frames: Sequence[ase.Atoms]) -> list[str]:
    """Return what is to be said of a set that is not labelled with PBE."""
    functionals = sorted({functional_of(f) for f in frames} - {"PBE"})
    name = {value: key for key, value in FUNCTIONALS.items()}
    return [OTHER_FUNCTIONAL.format(functional=f, labels=name.get(f, f)) for f in functionals]


def _of_one_correction(name: str, model: DispersionModel, terms: Sequence[Term], frames: int) -> str:
    """Return what a set holds of one correction."""
    labels = sorted({term.label for term in terms})
    damping = {label.rpartition(":")[2] for label in labels}
    parameters = "; ".join(
        f"{functional} " + ", ".join(f"{k} = {v}" for k, v in model.damping[functional].items())
        for functional in sorted(damping & set(model.damping))
    )
    size = [float(np.abs(term.forces).max()) for term in terms]
    pressure = -EV_PER_ANGSTROM3_GPA * float(np.mean([term.stress[:3].mean() for term in terms]))
    rms = _rms(np.concatenate([term.forces for term in terms]))
    steep = sum(s > STEEP for s in size)
    return (
        f"- `{name}`: {model.title} (doi:{model.doi}); {', '.join(labels)};\n"
        f"  {len(terms)} of {frames} frames. Damping (a2 in Bohr): {parameters}.\n"
        f"  Mean pressure {pressure:.2f} GPa; forces {rms:.3f} eV/Å r.m.s., of {steep} frames "
        f"above {STEEP:g} eV/Å\n  at an atom, the largest {max(size):.2f}."
    )


def _dispersion(frames: Sequence[ase.Atoms]) -> list[str]:
    """Return what the frames hold of dispersion corrections, nothing when they hold none."""
    lines = []
    for name, model in DISPERSION.items():
        terms = [term for f in frames if (term := term_of(f, name)) is not None]
        if terms:
            lines.append(_of_one_correction(name, model, terms, len(frames)))
    if not lines:
        return []
    return [DISPERSION_HEAD + "\n" + "\n".join(lines) + ("\n\n" + STEPS if "`d4`" in lines[0] else "")]


def data_card(name: str, frames: Sequence[ase.Atoms]) -> str:
    """Return the card of a set as Markdown.

    Parameters
    ----------
    name
        File name of the set.
    frames
        All its frames, with energy, forces, stress and efg.

    Raises
    ------
    InputError
        For no frame.
    """
    if not frames:
        raise InputError("data card: expected at least one frame")
    parts = [
        HEAD.format(name=name),
        CONTENTS,
        "\n".join(_run_table(frames)),
        "## Splits\n" + "\n".join(_split_lines(frames)),
        "## Range\n" + "\n".join(_ranges(frames)),
        STRUCTURES,
        *_other_functional(frames),
        METHOD,
        *_dispersion(frames),
        "## Known gaps\n" + "\n".join(_gaps(frames)),
        "Licence: as the rest of lpsnmr. Crystal structures: doi:10.1016/j.ssi.2010.10.001.",
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def write_data_card(path: Path, name: str, frames: Sequence[ase.Atoms]) -> None:
    """Write the card, whole or not at all."""
    text = data_card(name, frames)
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")
