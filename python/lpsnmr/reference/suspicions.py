"""What looks wrong with a set of labelled frames, told before a fit spends hours on it."""

from collections.abc import Callable, Iterator, Sequence

import ase
import numpy as np

from lpsnmr.elements import atomic_number
from lpsnmr.reference.merge import structure_key
from lpsnmr.reference.splits import run_name
from lpsnmr.typing import Array
from lpsnmr.units import EFG_UNITS, EV_PER_ANGSTROM3_GPA, quadrupolar_coupling_hz_per_efg

__all__ = ["suspicions"]

LITHIUM_KHZ = (2.0, 1000.0)
"""Median |C_Q| of 7Li between which nothing is odd: lithium in solids has some 5 to 500 kHz."""
ABSURD_FORCE = 40.0
"""Force in eV/Å that hardly any frame of a fit should have."""
FAR_ABOVE = 8.0
"""How many times the median of the frames' largest forces is an outlier."""
LARGE_STRESS = 0.6
"""Median of the largest stress component, eV/Å³ (96 GPa), above which the unit is doubtful."""
ENERGY_OUTLIER = 2.0
"""Energy per atom this far from the median of its composition, eV, is odd."""
LEAST_VOLUMES = 6
LEAST_SPREAD = 0.02


def suspicions(frames: Sequence[ase.Atoms], efg_unit: str = "au", labels: Sequence[str] = ()) -> list[str]:
    """Return a line for each thing that looks wrong; none for a set without oddities.

    Parameters
    ----------
    frames
        Frames of ``read_reference``.
    efg_unit
        Unit of their ``efg`` columns.
    labels
        Labels that will be used; others are not looked at. All when empty.

    Notes
    -----
    Looked for: frames without ``run``, the same structure twice, one absurd force or energy, the size of
    stresses, their sign against the volume, and C_Q of 7Li far from that of solids.
    """
    wanted: list[tuple[str, Callable[[Sequence[ase.Atoms]], Iterator[str]]]] = [
        ("", _without_run),
        ("", _duplicates),
        ("forces", _absurd_force),
        ("energy", _odd_energy),
        ("stress", _odd_stress),
        ("efg", lambda given: _odd_coupling(given, efg_unit)),
    ]
    return [
        line for label, look in wanted if not label or not labels or label in labels for line in look(frames)
    ]


def _source(frame: ase.Atoms) -> str:
    return str(frame.info.get("source", "a frame"))


def _result(frame: ase.Atoms, label: str) -> Array | None:
    value = None if frame.calc is None else frame.calc.results.get(label)
    return None if value is None else np.asarray(value, dtype=np.float64)


def _without_run(frames: Sequence[ase.Atoms]) -> Iterator[str]:
    missing = [frame for frame in frames if "run" not in frame.info]
    if missing:
        names = list(dict.fromkeys(run_name(frame) for frame in missing))
        told = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        yield (
            f"no key 'run' in the header of {len(missing)} of {len(frames)} frames: all frames of a file are "
            f"taken as one MD run ({told}), held out together; write run=NAME to tell runs apart"
        )


def _duplicates(frames: Sequence[ase.Atoms]) -> Iterator[str]:
    first: dict[str, ase.Atoms] = {}
    pairs = []
    for frame in frames:
        before = first.setdefault(structure_key(frame), frame)
        if before is not frame:
            pairs.append((before, frame))
    if pairs:
        before, frame = pairs[0]
        energies = [(_result(a, "energy"), _result(b, "energy")) for a, b in pairs]
        differ = sum(1 for a, b in energies if a is not None and b is not None and abs(a - b) > 1e-3)
        other = f"; {differ} of them with other energies" if differ else ""
        yield (
            f"{len(pairs)} of {len(frames)} frames repeat a structure{other}: the first is {_source(frame)}, "
            f"the same as {_source(before)}"
        )


def _absurd_force(frames: Sequence[ase.Atoms]) -> Iterator[str]:
    sizes = []
    for frame in frames:
        forces = _result(frame, "forces")
        if forces is not None and len(forces):
            sizes.append((np.linalg.norm(forces, axis=1), frame))
    if not sizes:
        return
    usual = float(np.median([size.max() for size, _ in sizes]))
    odd = [
        (s, f) for s, f in sizes if s.max() > ABSURD_FORCE and (s.max() > FAR_ABOVE * usual or len(sizes) < 4)
    ]
    if odd:
        size, frame = max(odd, key=lambda item: float(item[0].max()))
        atom = int(np.argmax(size))
        yield (
            f"{len(odd)} frames have a force far above the others (median of the largest {usual:.3g} eV/Å): "
            f"{_source(frame)}, atom {atom} ({frame.symbols[atom]}), {size.max():.4g} eV/Å"
        )
    elif usual > ABSURD_FORCE:
        yield f"forces of {usual:.3g} eV/Å in half of the frames: is their unit eV/Å?"


def _odd_energy(frames: Sequence[ase.Atoms]) -> Iterator[str]:
    groups: dict[str, list[tuple[float, ase.Atoms]]] = {}
    for frame in frames:
        energy = _result(frame, "energy")
        if energy is not None:
            reduced = frame.symbols.formula.reduce()[0].format("hill")
            groups.setdefault(reduced, []).append((float(energy) / len(frame), frame))
    for name, members in groups.items():
        values = np.array([value for value, _ in members])
        away = np.abs(values - np.median(values))
        spread = float(np.median(away))
        worst = int(np.argmax(away))
        if len(members) >= 4 and away[worst] > max(ENERGY_OUTLIER, 20.0 * spread):
            yield (
                f"{_source(members[worst][1])}: energy {values[worst]:.4g} eV per atom, the median of {name} "
                f"is {np.median(values):.4g}"
            )


def _odd_stress(frames: Sequence[ase.Atoms]) -> Iterator[str]:
    groups: dict[str, list[tuple[float, float]]] = {}
    largest = []
    for frame in frames:
        stress = _result(frame, "stress")
        if stress is None or not frame.cell.volume:
            continue
        largest.append(float(np.abs(stress).max()))
        reduced = frame.symbols.formula.reduce()[0].format("hill")
        groups.setdefault(reduced, []).append((abs(frame.cell.volume) / len(frame), float(stress[:3].mean())))
    if largest and float(np.median(largest)) > LARGE_STRESS:
        usual = float(np.median(largest))
        yield (
            f"stresses of {usual:.3g} eV/Å³ ({usual * EV_PER_ANGSTROM3_GPA:.3g} GPa) in half of the "
            "frames: are they in GPa or kbar? Give --stress-unit, or stress_unit in the header"
        )
    for name, members in groups.items():
        volume, trace = np.array(members).T
        if len(members) < LEAST_VOLUMES or np.ptp(volume) < LEAST_SPREAD * volume.mean() or not np.ptp(trace):
            continue
        correlation = float(np.corrcoef(volume, trace)[0, 1])
        if correlation < -0.7:
            yield (
                f"the stress of {name} falls with the volume (correlation {correlation:.2f}), as if positive "
                "under compression; expected positive under tension: give --stress-unit=-eV/A^3, or check "
                "the sign of the virial"
            )


def _odd_coupling(frames: Sequence[ase.Atoms], unit: str) -> Iterator[str]:
    z = atomic_number("Li")
    tensors = [
        frame.arrays["efg"][frame.numbers == z].reshape(-1, 3, 3) for frame in frames if "efg" in frame.arrays
    ]
    every = np.concatenate(tensors) if tensors else np.zeros((0, 3, 3))
    every = every[np.isfinite(every).all(axis=(1, 2))]
    if not len(every):
        return
    values = np.abs(np.linalg.eigvalsh(0.5 * (every + every.swapaxes(1, 2)))).max(axis=1)
    per_efg = abs(quadrupolar_coupling_hz_per_efg("7Li")) * 1e-3
    median = {name: float(np.median(values)) * size * per_efg for name, size in EFG_UNITS.items()}
    if LITHIUM_KHZ[0] <= median[unit] <= LITHIUM_KHZ[1]:
        return
    better = [f"{name} would be {khz:.3g} kHz" for name, khz in median.items() if name != unit]
    yield (
        f"|C_Q| of 7Li is {median[unit]:.3g} kHz in the median with the efg in {unit}; some 5 to 500 in "
        f"solids: is the unit right? {'; '.join(better)}"
    )
