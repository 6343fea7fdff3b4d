"""From labelled frames to the arrays of a fit."""

import dataclasses
from collections.abc import Callable, Sequence

import ase
import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from lpsnmr.efg.settings import EfgSettings
from lpsnmr.efg.tensors import tensor_to_components
from lpsnmr.errors import InputError
from lpsnmr.fitting.features import scratch_matrix
from lpsnmr.nuclides import usual_nuclide
from lpsnmr.reference import phase_of, run_name
from lpsnmr.reference.phases import order_of, state_of
from lpsnmr.typing import Array
from lpsnmr.units import EFG_UNITS

__all__ = ["EFG_UNITS", "EfgData", "build_data", "default_nucleus"]

ASYMMETRY_LIMIT = 1e-3
COPIES = 3
"""Features, the same by fold, and the same scaled: what a fit holds at once when there is room."""
DISTANCE_MARGIN = 0.02
"""How much nearer than in training, in Å, is not yet out of range."""
COORDINATION_MARGIN = 0.05
"""How far outside the range of coordination numbers, in parts of the range, is not yet out of range."""


@dataclasses.dataclass(frozen=True)
class EfgData:
    """Features and tensors of all targets of all frames.

    ``features`` (rows, n_features) and ``components`` (rows,) V/Å² have five rows per target, in order;
    ``frame`` (targets,) is the frame of each target; ``runs`` and ``phases`` are names by frame.
    ``target_range`` and ``bridge_ranges`` are as in ``TargetPart``. ``frame_weights`` (frames,) are the
    weights of the squared errors of each frame in a fit.
    """

    features: Array
    components: Array
    frame: NDArray[np.int64]
    runs: list[str]
    phases: list[str]
    target_range: Array
    bridge_ranges: Array
    frame_weights: Array
    room: int | None = None
    """Bytes for copies of features, which then are in a scratch file; None: they are in memory."""
    states: list[str] | None = None
    """By frame: "crystal", "amorphous" or "melt", for which σ is calibrated alike; None: the phases are."""

    @property
    def row_weights(self) -> Array:
        """Weights by row of ``features``: (rows,)."""
        return np.repeat(self.frame_weights[self.frame], 5)


def default_nucleus(target: str) -> str:
    """Return the nucleus NMR looks at in an element; InputError when there is no entry."""
    return usual_nuclide(target).name


def build_data(
    frames: Sequence[ase.Atoms],
    settings: EfgSettings,
    target: str = "Li",
    unit: str = "au",
    disordered_weight: float = 1.0,
    on_frame: Callable[[], None] | None = None,
    room: int | None = None,
) -> EfgData:
    """Evaluate the features of every target atom and collect its tensor.

    Parameters
    ----------
    frames
        Frames with an ``efg`` array of nine columns, as ``read_reference`` gives them.
    settings
        Terms of the model.
    target
        Chemical symbol of the atoms to learn.
    unit
        Key of ``EFG_UNITS``: the unit of the ``efg`` columns.
    disordered_weight
        Weight in a fit of a frame whose phase is not "crystal"; a crystal has 1.
    on_frame
        Called after each frame, for a progress display.
    room
        Bytes for features and the copies a fit makes of them; what is more goes into a scratch file.

    Raises
    ------
    InputError
        For an unknown unit or element, a weight not above 0, frames without a target, or tensors that are
        not symmetric and traceless.
    ComputeError
        When neither memory nor disk hold the features.
    """
    if unit not in EFG_UNITS:
        raise InputError(f"unknown EFG unit {unit!r}; expected one of {', '.join(EFG_UNITS)}")
    if target not in atomic_numbers:
        raise InputError(f"unknown element {target!r}")
    if not (disordered_weight > 0 and np.isfinite(disordered_weight)):
        raise InputError(f"disordered weight: expected a number above 0, got {disordered_weight}")
    basis = settings.basis()
    components, owner = [], []
    count = sum(int(np.count_nonzero(frame.numbers == atomic_numbers[target])) for frame in frames)
    if not count:
        raise InputError(f"no {target} atom in the reference frames")
    spilled = room is not None and COPIES * count * 5 * basis.size * 8 > room
    features = scratch_matrix(5 * count, basis.size) if spilled else np.empty((5 * count, basis.size))
    filled = 0
    ranges = _Ranges(settings)
    for number, frame in enumerate(frames):
        chosen = np.flatnonzero(frame.numbers == atomic_numbers[target])
        if chosen.size:
            tensors = frame.arrays["efg"].reshape(-1, 3, 3)[chosen] * EFG_UNITS[unit]
            _check_tensors(tensors, frame)
            system = (frame.positions, frame.cell.array, frame.pbc.tolist(), frame.numbers, chosen)
            features[filled : filled + 5 * chosen.size] = basis.features(*system).reshape(-1, basis.size)
            filled += 5 * chosen.size
            ranges.include(basis.environments(*system), frame.numbers)
            components.append(tensor_to_components(tensors).ravel())
            owner.append(np.full(chosen.size, number))
        if on_frame is not None:
            on_frame()
    phases = [order_of(phase_of(frame)) for frame in frames]
    return EfgData(
        features,
        np.concatenate(components),
        np.concatenate(owner),
        [run_name(frame) for frame in frames],
        phases,
        _with_margin(ranges.target),
        np.array([_with_margin(rows) for rows in ranges.bridges]).reshape(ranges.bridges.shape),
        np.array([1.0 if phase == "crystal" else disordered_weight for phase in phases]),
        room if spilled else None,
        [state_of(phase_of(frame)) for frame in frames],
    )


def _check_tensors(tensors: Array, frame: ase.Atoms) -> None:
    """Refuse tensors that are no EFG; round-off of the file is let pass."""
    if not np.isfinite(tensors).all():
        missing = int(np.sum(~np.isfinite(tensors).all(axis=(1, 2))))
        source = frame.info.get("source", "frame")
        raise InputError(f"{source}: {missing} of {len(tensors)} target atoms have no efg tensor")
    size = max(float(np.abs(tensors).max()), 1e-12)
    skew = float(np.abs(tensors - tensors.swapaxes(1, 2)).max())
    trace = float(np.abs(np.trace(tensors, axis1=1, axis2=2)).max())
    if max(skew, trace) > ASYMMETRY_LIMIT * size:
        raise InputError(
            f"{frame.info.get('source', 'frame')}: efg tensors must be symmetric and traceless, "
            f"got an asymmetry of {skew / size:.1e} and a trace of {trace / size:.1e} of the largest entry"
        )


class _Ranges:
    """Running extremes of distances and coordination numbers around targets and bridges."""

    def __init__(self, settings: EfgSettings) -> None:
        n_species = len(settings.species)
        empty = np.array([[np.inf] * n_species, [np.inf] * n_species, [-np.inf] * n_species])
        self.target = empty.copy()
        self.bridges = np.array([empty] * len(settings.bridges)).reshape(-1, 3, n_species)
        self._bridge_numbers = settings.bridges

    def include(self, found: tuple[Array, Array, NDArray[np.int32]], numbers: NDArray[np.int64]) -> None:
        """Widen the ranges by the surroundings of one frame."""
        around_targets, around_bridges, bridge_atoms = found
        _widen(self.target, around_targets)
        for rows, z in zip(self.bridges, self._bridge_numbers, strict=True):
            _widen(rows, around_bridges[numbers[bridge_atoms] == z])


def _with_margin(rows: Array) -> Array:
    """Return a range a little wider than what was seen; a bridge that never occurred keeps all out."""
    nearest, fewest, most = rows
    if not np.isfinite(fewest).all():
        return np.array([np.full_like(nearest, np.inf), np.zeros_like(fewest), np.zeros_like(most)])
    margin = COORDINATION_MARGIN * (most - fewest) + 1e-9
    return np.array([nearest - DISTANCE_MARGIN, fewest - margin, most + margin])


def _widen(rows: Array, around: Array) -> None:
    if len(around):
        rows[0] = np.minimum(rows[0], around[:, 0].min(axis=0))
        rows[1] = np.minimum(rows[1], around[:, 1].min(axis=0))
        rows[2] = np.maximum(rows[2], around[:, 1].max(axis=0))


def species_of_frames(frames: Sequence[ase.Atoms]) -> tuple[int, ...]:
    """Return the atomic numbers that occur, ascending."""
    return tuple(sorted({int(z) for frame in frames for z in frame.numbers}))


def symbols_to_numbers(symbols: Sequence[str]) -> tuple[int, ...]:
    """Return atomic numbers, InputError for an unknown symbol."""
    for symbol in symbols:
        if symbol not in chemical_symbols[1:]:
            raise InputError(f"unknown element {symbol!r}")
    return tuple(chemical_symbols.index(symbol) for symbol in symbols)
