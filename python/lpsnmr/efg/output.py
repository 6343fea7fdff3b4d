"""Write predicted tensors: extended XYZ (soprano), spin systems (mrsimulator), CSV or HDF5."""

import csv
import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ase
import ase.io
import numpy as np
from numpy.typing import NDArray

from lpsnmr.efg.dataset import default_nucleus
from lpsnmr.efg.model import EfgModel
from lpsnmr.efg.tensors import principal_values
from lpsnmr.errors import InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.hdf5 import hdf5_bytes
from lpsnmr.typing import Array
from lpsnmr.units import quadrupolar_coupling_hz_per_efg

__all__ = [
    "OUTPUT_SUFFIXES",
    "Prediction",
    "choose_nuclei",
    "predict_frames",
    "write_predictions",
]

OUTPUT_SUFFIXES = (".csv", ".extxyz", ".h5", ".mrsys")
COLUMNS = (
    *("frame", "atom", "element", "nucleus", "v_xx", "v_yy", "v_zz", "v_xy", "v_xz", "v_yz"),
    *("sigma", "cq_khz", "cq_sigma_khz", "eta", "axis_x", "axis_y", "axis_z", "flag", "efg_unit"),
)
"""Components in the order of ``compute efg/atom``; tensors and sigma are in ``efg_unit``."""
ORDER = ((0, 1, 2, 0, 0, 1), (0, 1, 2, 1, 2, 2))
EFG_UNIT = "V/A^2"


@dataclasses.dataclass(frozen=True)
class Prediction:
    """Tensors (targets, 3, 3) V/Å² of one structure; indices and out-of-range flags of its targets.

    ``sigma`` (targets,) V/Å² is the uncertainty of a component, None where the model does not tell.
    """

    atoms: ase.Atoms
    targets: NDArray[np.int32]
    tensors: Array
    flags: NDArray[np.uint8]
    sigma: Array | None = None


def predict_frames(
    model: EfgModel,
    frames: Sequence[ase.Atoms],
    threads: int = 1,
    on_frame: Callable[[], None] | None = None,
    uncertainty: bool = True,
) -> list[Prediction]:
    """Predict every target of every structure; InputError names the frame that does not fit.

    With ``uncertainty`` and a model that tells it, each prediction has its ``sigma``.
    """
    predictions = []
    for number, atoms in enumerate(frames):
        targets = model.find_targets(atoms.numbers)
        try:
            tensors = model.predict(atoms, targets, threads)
        except InputError as error:
            raise InputError(f"frame {number}: {error}") from error
        flags = model.last_flags
        told = uncertainty and model.has_uncertainty
        sigma = model.predict_uncertainty(atoms, targets, threads) if told else None
        if sigma is not None:
            flags = flags | model.far_flags(atoms.numbers, targets, sigma)
        predictions.append(Prediction(atoms, targets, tensors, flags, sigma))
        if on_frame is not None:
            on_frame()
    return predictions


def choose_nuclei(model: EfgModel, nuclei: Sequence[str] = ()) -> dict[str, str]:
    """Return the nucleus of each target element of a model: those given, defaults for the others.

    Raises
    ------
    InputError
        For a nucleus without a quadrupole moment on record, or of an element that is no target.
    """
    chosen: dict[str, str] = {}
    for nucleus in nuclei:
        quadrupolar_coupling_hz_per_efg(nucleus)
        element = nucleus.lstrip("0123456789")
        if element not in model.targets:
            raise InputError(
                f"nucleus {nucleus}: the model predicts {', '.join(model.targets)}, not {element}"
            )
        chosen[element] = nucleus
    return {element: chosen.get(element) or default_nucleus(element) for element in model.targets}


def write_predictions(
    path: str | os.PathLike[str],
    predictions: Sequence[Prediction],
    model: EfgModel,
    nuclei: Mapping[str, str],
) -> None:
    """Write predictions in the format of the suffix.

    Parameters
    ----------
    path
        ``.extxyz``: the structures with the arrays of ``EfgModel.annotate``, which soprano reads. ``.mrsys``:
        a spin system per target for mrsimulator, of equal abundance. ``.csv``: a line per target, tensor (xx,
        yy, zz, xy, xz, yz) and σ in V/Å², C_Q in kHz, η, principal axis, flag, unit of the tensor. ``.h5``:
        data sets ``frame``, ``atom``, ``efg`` and ``sigma`` (V/Å²), ``cq`` (Hz), ``eta``, ``axes``, ``flag``.
    predictions
        What ``predict_frames`` returned.
    model
        Its hash is written beside the numbers.
    nuclei
        By element, whose quadrupole moment turns V_zz into C_Q; see ``choose_nuclei``.

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
            frames = [model.attach(p.atoms, p.targets, p.tensors, p.flags, p.sigma) for p in predictions]
            ase.io.write(aside, frames, format="extxyz")
        elif suffix == ".csv":
            _write_csv(aside, predictions, nuclei)
        elif suffix == ".mrsys":
            _write_spin_systems(aside, predictions, nuclei)
        else:
            _write_hdf5(aside, predictions, model, nuclei)


def _per_efg(prediction: Prediction, nuclei: Mapping[str, str]) -> Array:
    """Return C_Q/V_zz of each target, Hz per V/Å²."""
    symbols = np.array(prediction.atoms.get_chemical_symbols())[prediction.targets]
    return np.array([quadrupolar_coupling_hz_per_efg(nuclei[symbol]) for symbol in symbols])


def _sigma(prediction: Prediction) -> Array:
    """Return σ of each target, NaN where it is not told."""
    return np.full(len(prediction.targets), np.nan) if prediction.sigma is None else prediction.sigma


def _write_csv(path: Path, predictions: Sequence[Prediction], nuclei: Mapping[str, str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, p in enumerate(predictions):
            v_zz, eta, axes = principal_values(p.tensors)
            per_efg = _per_efg(p, nuclei) * 1e-3
            sigma = _sigma(p)
            # to first order V_zz changes by the zz component in its own frame, √(2/3) of an orthonormal one
            cq_sigma = np.sqrt(2.0 / 3.0) * np.abs(per_efg) * sigma
            for k, atom in enumerate(p.targets.tolist()):
                symbol = p.atoms.symbols[atom]
                upper = p.tensors[k][ORDER]
                numbers = [
                    *(*upper, sigma[k], per_efg[k] * v_zz[k], cq_sigma[k]),
                    *(eta[k], *axes[k, :, 2]),
                ]
                told = (f"{x:.9g}" for x in numbers)
                writer.writerow([number, atom, symbol, nuclei[symbol], *told, int(p.flags[k]), EFG_UNIT])


def _write_spin_systems(path: Path, predictions: Sequence[Prediction], nuclei: Mapping[str, str]) -> None:
    """Write the list of spin systems that ``mrsimulator.Simulator.load_spin_systems`` reads.

    One site each, without shift; its only tensor is its own frame of reference, so no angles are given.
    """
    count = sum(len(p.targets) for p in predictions)
    systems = []
    for number, p in enumerate(predictions):
        v_zz, eta, _ = principal_values(p.tensors)
        cq = _per_efg(p, nuclei) * v_zz
        for k, atom in enumerate(p.targets.tolist()):
            tensor = {"Cq": f"{cq[k]:.9g} Hz", "eta": float(eta[k])}
            site = {
                "isotope": nuclei[p.atoms.symbols[atom]],
                "isotropic_chemical_shift": "0.0 ppm",
                "quadrupolar": tensor,
            }
            systems.append(
                {
                    "label": f"frame {number} atom {atom}",
                    "sites": [site],
                    "abundance": f"{100.0 / count:.9g} %",
                }
            )
    path.write_text(json.dumps(systems, indent=1) + "\n", encoding="utf-8")


def _write_hdf5(
    path: Path, predictions: Sequence[Prediction], model: EfgModel, nuclei: Mapping[str, str]
) -> None:
    tensors = np.concatenate([p.tensors for p in predictions])
    v_zz, eta, axes = principal_values(tensors)

    def fill(file: Any) -> None:
        file.attrs["model_sha256"] = model.sha256
        file.attrs["nucleus"] = ", ".join(nuclei.values())
        counts = [len(p.targets) for p in predictions]
        file["frame"] = np.repeat(np.arange(len(predictions)), counts)
        file["atom"] = np.concatenate([p.targets for p in predictions])
        for name, values, unit in (
            ("efg", tensors, "V/Å²"),
            ("sigma", np.concatenate([_sigma(p) for p in predictions]), "V/Å²"),
            ("cq", np.concatenate([_per_efg(p, nuclei) for p in predictions]) * v_zz, "Hz"),
            ("eta", eta, "1"),
            ("axes", axes, "1"),
        ):
            file[name] = values
            file[name].attrs["unit"] = unit
        file["flag"] = np.concatenate([p.flags for p in predictions])

    path.write_bytes(hdf5_bytes(fill))
