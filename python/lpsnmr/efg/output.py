"""Write predicted tensors: extended XYZ (soprano's convention), CSV or HDF5."""

import csv
import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import ase
import ase.io
import h5py
import numpy as np
from numpy.typing import NDArray

from lpsnmr.efg.model import EfgModel
from lpsnmr.efg.tensors import principal_values, quadrupolar_coupling_hz
from lpsnmr.errors import InputError
from lpsnmr.io.atomic import written_aside

__all__ = ["OUTPUT_SUFFIXES", "Prediction", "predict_frames", "write_predictions"]

OUTPUT_SUFFIXES = (".csv", ".extxyz", ".h5")
COLUMNS = (
    *("frame", "atom", "element", "v_xx", "v_xy", "v_xz", "v_yy", "v_yz", "v_zz"),
    *("cq_khz", "eta", "axis_x", "axis_y", "axis_z", "flag"),
)

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Prediction:
    """Tensors (targets, 3, 3) V/Å² of one structure; indices and out-of-range flags of its targets."""

    atoms: ase.Atoms
    targets: NDArray[np.int32]
    tensors: Array
    flags: NDArray[np.uint8]


def predict_frames(
    model: EfgModel,
    frames: Sequence[ase.Atoms],
    threads: int = 1,
    on_frame: Callable[[], None] | None = None,
) -> list[Prediction]:
    """Predict every target of every structure; InputError names the frame that does not fit."""
    predictions = []
    for number, atoms in enumerate(frames):
        targets = model.find_targets(atoms.numbers)
        try:
            tensors = model.predict(atoms, targets, threads)
        except InputError as error:
            raise InputError(f"frame {number}: {error}") from error
        predictions.append(Prediction(atoms, targets, tensors, model.last_flags))
        if on_frame is not None:
            on_frame()
    return predictions


def write_predictions(
    path: str | os.PathLike[str], predictions: Sequence[Prediction], model: EfgModel, nucleus: str
) -> None:
    """Write predictions in the format of the suffix.

    Parameters
    ----------
    path
        ``.extxyz``: the structures with an ``efg`` array in atomic units, NaN for atoms that are no
        target, and ``efg_flag``. ``.csv``: a line per target, tensor in V/Å², C_Q in kHz, η, principal
        axis, flag. ``.h5``: data sets ``frame``, ``atom``, ``efg`` (V/Å²), ``cq`` (Hz), ``eta``, ``axes``,
        ``flag``.
    predictions
        What ``predict_frames`` returned.
    model
        Its hash is written beside the numbers.
    nucleus
        Whose quadrupole moment turns V_zz into C_Q.

    Raises
    ------
    InputError
        For a suffix that is none of these.
    """
    suffix = Path(path).suffix
    if suffix not in OUTPUT_SUFFIXES:
        raise InputError(f"{path}: expected a file ending in {', '.join(OUTPUT_SUFFIXES)}, got {suffix!r}")
    with written_aside(path) as aside:
        if suffix == ".extxyz":
            ase.io.write(aside, [_annotated(p, model) for p in predictions], format="extxyz")
        elif suffix == ".csv":
            _write_csv(aside, predictions, nucleus)
        else:
            _write_hdf5(aside, predictions, model, nucleus)


def _annotated(prediction: Prediction, model: EfgModel) -> ase.Atoms:
    """Return the structure with its tensors; no second prediction."""
    atoms = model.attach(prediction.atoms, prediction.targets, prediction.tensors)
    flags = np.zeros(len(atoms), dtype=np.int64)
    flags[prediction.targets] = prediction.flags
    atoms.arrays["efg_flag"] = flags
    return atoms


def _write_csv(path: Path, predictions: Sequence[Prediction], nucleus: str) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, p in enumerate(predictions):
            v_zz, eta, axes = principal_values(p.tensors)
            cq = quadrupolar_coupling_hz(v_zz, nucleus) * 1e-3
            for k, atom in enumerate(p.targets.tolist()):
                upper = p.tensors[k][np.triu_indices(3)]
                numbers = [*upper, cq[k], eta[k], *axes[k, :, 2]]
                writer.writerow(
                    [number, atom, p.atoms.symbols[atom], *(f"{x:.9g}" for x in numbers), int(p.flags[k])]
                )


def _write_hdf5(path: Path, predictions: Sequence[Prediction], model: EfgModel, nucleus: str) -> None:
    tensors = np.concatenate([p.tensors for p in predictions])
    v_zz, eta, axes = principal_values(tensors)
    with h5py.File(path, "w") as file:
        file.attrs["model_sha256"] = model.sha256
        file.attrs["nucleus"] = nucleus
        counts = [len(p.targets) for p in predictions]
        file["frame"] = np.repeat(np.arange(len(predictions)), counts)
        file["atom"] = np.concatenate([p.targets for p in predictions])
        for name, values, unit in (
            ("efg", tensors, "V/Å²"),
            ("cq", quadrupolar_coupling_hz(v_zz, nucleus), "Hz"),
            ("eta", eta, "1"),
            ("axes", axes, "1"),
        ):
            file[name] = values
            file[name].attrs["unit"] = unit
        file["flag"] = np.concatenate([p.flags for p in predictions])
