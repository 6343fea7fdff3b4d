"""Checks by MD: radial distributions, stability and diffusion, drift of the energy, a quenched melt."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ase
import numpy as np

from lpsnmr.analysis.dynamics import Diffusion, DiffusionSettings, analyze_diffusion
from lpsnmr.errors import InputError
from lpsnmr.md.follow import (
    RDF_EDGES,
    Followed,
    MdPlan,
    follow,
)
from lpsnmr.potential import read_uf3
from lpsnmr.reference import read_reference, run_name
from lpsnmr.sampling import DisplacementCorrelator
from lpsnmr.structures import load_structure, packed, supercell, with_density
from lpsnmr.structures.checks import density_g_per_cm3
from lpsnmr.structures.observe import (
    RadialHistogram,
    bonded_sulfur,
    coordination,
    crystal_peak,
    pairs_of,
    rdf_difference,
)
from lpsnmr.structures.packing import units_and_lithium
from lpsnmr.validation.settings import ValidateSettings

__all__ = ["amorphous_task", "check_md", "diffusion_of", "nve_task", "rdf_runs", "rdf_task", "stability_task"]

Tick = Callable[[str, int, int], None]
BAR_PER_GPA = 1.0e4
FEWEST_FRAMES = 5
"""Frames a reference run needs for a radial distribution to be compared with."""
SYMBOLS = {3: "Li", 15: "P", 16: "S"}


def _plan(settings: ValidateSettings, temperature_k: float, length_ps: float, **more: Any) -> MdPlan:
    return MdPlan(
        temperature_k, length_ps, timestep_fs=settings.timestep_fs, seed=settings.seed, style=settings.style,
        **more,
    )  # fmt: skip


def _crystal(settings: ValidateSettings, repeat: tuple[int, int, int]) -> ase.Atoms:
    return supercell(load_structure(settings.structure), repeat)


def check_md(settings: ValidateSettings) -> None:
    """Refuse what MD cannot do, before anything is done.

    Raises
    ------
    InputError
        For one atom, elements that the potential lacks, or a melt of such a composition or density that
        nothing can be packed.
    """
    if "cells" in settings.stages:
        for crystal in settings.cells_of:
            _check_elements(settings, crystal)
    stages = {"stability", "nve", "amorphous"}.intersection(settings.stages)
    if not stages:
        return
    atoms = _check_elements(settings, settings.structure)
    if len(supercell(atoms, settings.repeat)) < 2:
        raise InputError(f"{settings.structure}: expected at least two atoms for MD, got one; see --repeat")
    if "amorphous" in stages and settings.melt_from == "packed":
        _cell_to_pack(settings)


def _check_elements(settings: ValidateSettings, structure: str) -> ase.Atoms:
    """Return a structure; refuse one with elements that the potential lacks."""
    atoms = load_structure(structure)
    known = read_uf3(settings.potential).elements
    foreign = sorted(set(atoms.get_chemical_symbols()) - set(known))
    if foreign:
        raise InputError(
            f"{structure}: element {foreign[0]} is not in {settings.potential.name}; expected "
            + ", ".join(known)
        )
    return atoms


def _ps4(seen: Followed) -> dict[str, float]:
    """Return how whole the PS4 units were."""
    return {
        "ps4_whole_least": float(seen.column("intact").min()),
        "ps4_whole_mean": float(seen.column("intact").mean()),
        "ps4_own_sulfur_least": float(seen.column("own_sulfur").min()),
        "ps4_own_sulfur_end": float(seen.column("own_sulfur")[-1]),
    }


def _mean(seen: Followed, name: str) -> float:
    values = seen.column(name)
    return float(values[len(values) // 5 :].mean())


def diffusion_of(seen: Followed) -> Diffusion:
    """Return D of Li from all time origins; the motion of P and S together is taken off."""
    correlator = DisplacementCorrelator(seen.lithium.shape[1], sample_interval_ps=seen.plan.sample_ps)
    for positions in seen.lithium:
        correlator.add(positions)
    duration = len(seen.lithium) * seen.plan.sample_ps
    return analyze_diffusion(correlator.statistics(), duration, DiffusionSettings(n_bootstrap=200))


def stability_task(
    settings: ValidateSettings, temperature_k: float, folder: Path, name: str, tick: Tick
) -> dict[str, Any]:
    """Follow PS4 units and Li through NVT at one temperature."""
    plan = _plan(settings, temperature_k, 1e3 * settings.stability_ns)
    seen = follow(plan, _crystal(settings, settings.repeat), settings.potential, folder, name, tick)
    diffusion = diffusion_of(seen)
    d = diffusion.diffusion_cm2_s
    return {
        "temperature_k": temperature_k,
        "ns": float(seen.column("time_ps")[-1]) * 1e-3,
        "atoms": len(seen.numbers),
        **_ps4(seen),
        "mean_temperature_k": _mean(seen, "Temp"),
        "pressure_GPa": _mean(seen, "Press") / BAR_PER_GPA,
        "diffusion_cm2_per_s": None if d is None else [d.value, d.low, d.high],
        "diffusion_remark": diffusion.reason,
    }


def nve_task(
    settings: ValidateSettings, temperature_k: float, folder: Path, name: str, tick: Tick
) -> dict[str, Any]:
    """Measure the drift of the total energy."""
    plan = _plan(settings, temperature_k, settings.nve_ps, ensemble="nve", equilibration_ps=5.0)
    seen = follow(plan, _crystal(settings, settings.repeat), settings.potential, folder, name, tick)
    time_ns, energy = seen.column("time_ps") * 1e-3, seen.column("TotEng")
    n = len(seen.numbers)
    slope = float(np.polyfit(time_ns, energy, 1)[0]) if len(energy) > 2 else float("nan")
    return {
        "temperature_k": temperature_k,
        "mean_temperature_k": _mean(seen, "Temp"),
        "ps": float(seen.column("time_ps")[-1]),
        "drift_meV_per_atom_ns": 1e3 * slope / n,
        "fluctuation_meV_per_atom": 1e3 * float((energy - np.polyval(np.polyfit(time_ns, energy, 1), time_ns)
                                                 ).std()) / n if len(energy) > 2 else None,
        **_ps4(seen),
    }  # fmt: skip


def rdf_runs(settings: ValidateSettings) -> dict[str, list[ase.Atoms]]:
    """Return the reference runs that a radial distribution can be compared with: many frames, one T.

    Not those of a ``segment``, frames a vibration apart, or of a ``hot`` cell that falls apart.
    """
    frames = read_reference(settings.reference, require=())
    runs: dict[str, list[ase.Atoms]] = {}
    for frame in frames:
        words = run_name(frame).split("_")
        if float(frame.info.get("run_T", 0.0)) > 0 and not {"quench", "segment", "hot"} & set(words):
            runs.setdefault(run_name(frame), []).append(frame)
    return {k: v for k, v in sorted(runs.items()) if len(v) >= FEWEST_FRAMES}


def _histogram(frames: Sequence[ase.Atoms]) -> RadialHistogram:
    numbers = np.asarray(frames[0].numbers, dtype=np.int32)
    out = RadialHistogram(pairs_of(numbers.tolist()), RDF_EDGES)
    for f in frames:
        out.add(f.positions, f.cell.array, np.asarray(f.numbers, dtype=np.int32))
    return out


def rdf_task(
    settings: ValidateSettings, frames: Sequence[ase.Atoms], folder: Path, name: str, tick: Tick
) -> dict[str, Any]:
    """Compare g(r) of MD with that of a reference run: from its first frame, in its mean cell.

    ``noise`` is the difference of the even and the odd frames of the reference, halved: what a perfect
    potential would show.
    """
    temperature = float(frames[0].info["run_T"])
    start = frames[0].copy()
    volume = float(np.mean([f.get_volume() for f in frames]))
    start.set_cell(start.cell.array * (volume / start.get_volume()) ** (1 / 3), scale_atoms=True)
    seen = follow(
        _plan(settings, temperature, settings.rdf_ps), start, settings.potential, folder, name, tick
    )
    theirs = _histogram(frames)
    half = [_histogram(frames[k::2]) for k in (0, 1)]
    pairs = {}
    for n, (a, b) in enumerate(theirs.pairs):
        first, second = seen.rdf.values[n], theirs.values[n]
        pairs[f"{SYMBOLS[a]}-{SYMBOLS[b]}"] = {
            "difference": rdf_difference(first, second),
            "noise": 0.5 * rdf_difference(half[0].values[n], half[1].values[n]),
            "peak_A": [float(theirs.radii[np.argmax(g)]) for g in (first, second)],
            "neighbours_within_2.8_A": [h.neighbours_within(n, 2.8) for h in (seen.rdf, theirs)],
            "g_potential": first.tolist(),
            "g_reference": second.tolist(),
        }
    return {
        "run": run_name(frames[0]),
        "temperature_k": temperature,
        "reference_frames": len(frames),
        "r_A": theirs.radii.tolist(),
        "pairs": pairs,
        **_ps4(seen),
    }


def _glass(settings: ValidateSettings, atoms: ase.Atoms, folder: Path, tick: Tick) -> dict[str, Followed]:
    """Melt, anneal and cool at constant volume, cool on and rest at zero pressure; return every stage."""
    top = settings.anneal_k[1] if settings.anneal_ps else settings.melt_k
    rate = (top - settings.amorphous_k) / settings.quench_ps
    kept_ps = (top - settings.release_k) / rate
    free: dict[str, Any] = {"ensemble": "npt", "barostat": "iso"}
    cold = settings.amorphous_k
    plans = {
        "melt": _plan(settings, settings.melt_k, settings.melt_ps),
        "anneal": _plan(settings, settings.anneal_k[0], settings.anneal_ps, final_k=settings.anneal_k[1]),
        "cooling": _plan(settings, top, kept_ps, final_k=settings.release_k),
        "quench": _plan(settings, settings.release_k, settings.quench_ps - kept_ps, final_k=cold, **free),
        "amorphous": _plan(settings, cold, settings.amorphous_ps, **free),
    }
    if not settings.anneal_ps:
        del plans["anneal"]
    done: dict[str, Followed] = {}
    for name, plan in plans.items():
        if done:
            plan = replace(plan, moving=True)
        done[name] = follow(plan, atoms, settings.potential, folder, name, tick)
        atoms = done[name].last
    return done


def _cell_to_pack(settings: ValidateSettings) -> ase.Atoms:
    """Return the crystal at the density of the melt; refuse what cannot be packed."""
    try:
        atoms = with_density(_crystal(settings, settings.amorphous_repeat), settings.melt_density)
        units_and_lithium(atoms)
    except InputError as error:
        raise InputError(
            f"amorphous: {error}; choose another --melt-density, --melt-from crystal, or --stages without "
            "amorphous"
        ) from error
    return atoms


def amorphous_task(settings: ValidateSettings, folder: Path, tick: Tick) -> dict[str, Any]:
    """Make a glass; count who is bonded to whom, and measure how far it is from its start and a crystal."""
    crystal = _crystal(settings, settings.amorphous_repeat)
    atoms = packed(_cell_to_pack(settings), settings.seed) if settings.melt_from == "packed" else crystal
    stages = _glass(settings, atoms, folder, tick)
    melt, cold = stages["melt"], stages["amorphous"]
    last = cold.last
    around = coordination(last.positions, last.cell.array, cold.numbers)
    glass = last.copy()
    glass.set_cell(last.cell.array * (_mean(cold, "Volume") / last.get_volume()) ** (1 / 3), scale_atoms=True)
    bonds = bonded_sulfur(last.positions, last.cell.array, cold.numbers)
    first = bonded_sulfur(atoms.positions, atoms.cell.array, cold.numbers)
    shared = bonds.sum(axis=0)
    peak, random = crystal_peak(last.positions[cold.numbers == 15], last.cell.array)
    pairs = cold.rdf.pairs
    kinds, counts = np.unique(around, return_counts=True)
    return {
        "atoms": len(last),
        "melt_from": settings.melt_from,
        "melt_k": settings.melt_k,
        "melt_pressure_GPa": _mean(melt, "Press") / BAR_PER_GPA,
        "cooling_K_per_ps": (stages["cooling"].plan.temperature_k - settings.amorphous_k)
        / settings.quench_ps,
        "crystal_density_g_per_cm3": density_g_per_cm3(crystal),
        "density_g_per_cm3": density_g_per_cm3(glass),
        "p_with_four_sulfur": float(np.mean(around == 4)),
        "p_with_four_sulfur_mean": float(cold.column("intact").mean()),
        "p_with_four_sulfur_in_melt": float(melt.column("intact").mean()),
        "sulfur_around_p": {str(k): int(n) for k, n in zip(kinds, counts, strict=True)},
        "bridging_sulfur": int((shared > 1).sum()),
        "free_sulfur": int((shared == 0).sum()),
        "p_p_closer_than_2.6_A": cold.rdf.neighbours_within(pairs.index((15, 15)), 2.6),
        "s_s_closer_than_2.4_A": cold.rdf.neighbours_within(pairs.index((16, 16)), 2.4),
        "p_displacement_A": {
            name: float(np.sqrt(stage.column("p_msd")[-1]))
            for name, stage in stages.items()
            if stage.plan.ensemble == "nvt"
        },
        "p_with_sulfur_of_the_start": float(np.mean((bonds == first).all(axis=1))),
        "crystal_peak_of_p": peak,
        "crystal_peak_at_random": random,
    }
