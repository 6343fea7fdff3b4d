"""Samples taken inside LAMMPS, where the atoms are: ``fix efg/samples``, read rank by rank."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.structures.species import SpeciesSettings
from lpsnmr.typing import Array

__all__ = ["LocalSamples", "SampleBatch"]

COMPUTE, FIX = "lpsnmr_efg", "lpsnmr_samples"
MOBILE, FRAMEWORK = "lpsnmr_mobile", "lpsnmr_framework"
COLUMNS = 12


@dataclass(frozen=True)
class SampleBatch:
    """What a rank has noted of k samples.

    Attributes
    ----------
    steps
        (k,) int64, MD steps.
    cells
        (k, 3, 3) float64, rows are the cell vectors, Å.
    temperatures_k
        (k,) float64, kinetic temperature of all atoms, K; NaN when unknown.
    flagged
        (k,) int64, tensors of all ranks outside the range of the training data.
    n_atoms
        (k,) int64, atoms of this rank.
    li_sample, li_ids, li_values
        (r,) int64 number of the sample in the batch, (r,) int64 atom id and (r, 8) float64 five components
        (V/Å²) and unwrapped position (Å) of each Li of this rank in each sample.
    type_sums
        (k, types, 3) float64, Å; summed unwrapped positions of P and S of this rank, by LAMMPS type.
    framework_ids, framework_sums
        (f,) int64 and (f, 3) float64, Å: unwrapped positions of each P and S, summed over the samples
        in which this rank owned it.
    """

    steps: NDArray[np.int64]
    cells: Array
    temperatures_k: Array
    flagged: NDArray[np.int64]
    n_atoms: NDArray[np.int64]
    li_sample: NDArray[np.int64]
    li_ids: NDArray[np.int64]
    li_values: Array
    type_sums: Array
    framework_ids: NDArray[np.int64]
    framework_sums: Array


def read_rows(rows: Array) -> SampleBatch:
    """Sort the rows of ``fix efg/samples``, (n, 12) float64; see cpp/pair_ufp/fix_efg_samples.cpp."""
    sample, ids = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    moments = rows[ids == 0, 2:]
    cells = np.zeros((len(moments), 3, 3))
    cells[:, [0, 1, 2], [0, 1, 2]] = moments[:, 3:6]
    cells[:, [1, 2, 2], [0, 0, 1]] = moments[:, 6:9]
    mobile = (ids > 0) & (sample >= 0)
    summed = sample < 0
    return SampleBatch(
        steps=moments[:, 9].astype(np.int64),
        cells=cells,
        temperatures_k=moments[:, 0],
        flagged=moments[:, 1].astype(np.int64),
        n_atoms=moments[:, 2].astype(np.int64),
        li_sample=sample[mobile],
        li_ids=ids[mobile],
        li_values=rows[mobile, 2:10],
        type_sums=rows[ids < 0, 2:5].reshape(len(moments), -1, 3),
        framework_ids=ids[summed],
        framework_sums=rows[summed, 2:5],
    )


class LocalSamples:
    """Tensors of the Li that a rank owns, worked out inside LAMMPS; every method is collective.

    Setting it up ends with ``run 0``, so that whatever stands in the way (an element that the model does not
    know) is found at once.

    Parameters
    ----------
    driver
        LAMMPS with all its atoms, potential and fixes.
    model
        EFG model file.
    elements
        Element of each LAMMPS type.
    interval_steps, first_step
        MD steps between samples, and the step of one of them.
    species
        Which ion moves, what it moves through and which polyhedra are followed; by default as in the
        configuration.

    Raises
    ------
    ComputeError
        When LAMMPS cannot do it here; it is then as before, its forces still to be computed.
    InputError
        When no type is the mobile ion.
    """

    def __init__(
        self,
        driver: LammpsDriver,
        model: str | os.PathLike[str],
        elements: Sequence[str],
        *,
        interval_steps: int,
        first_step: int,
        species: SpeciesSettings | None = None,
    ) -> None:
        species = species or SpeciesSettings()
        mobile = _types(elements, (species.mobile,))
        if not mobile:
            raise InputError(f"no type is {species.mobile}: {list(elements)}")
        framework = _types(elements, _at_rest(elements, species))
        self._driver = driver
        self.interval_steps = interval_steps
        try:
            driver.commands(
                [
                    f"group {MOBILE} type {mobile}",
                    f"group {FRAMEWORK} type {framework}" if framework else f"group {FRAMEWORK} empty",
                    f'compute {COMPUTE} {MOBILE} efg/atom "{os.fspath(model)}" {" ".join(elements)}',
                    f"fix {FIX} {FRAMEWORK} efg/samples {interval_steps} {first_step} {COMPUTE}",
                ]
            )
            driver.advance(0)
        except ComputeError:
            driver.remove("fix", FIX)
            driver.remove("compute", COMPUTE)
            raise

    def advance(self, n_samples: int) -> SampleBatch:
        """Run the MD for some samples and return them.

        Raises
        ------
        ComputeError
            When LAMMPS fails or ends the run early.
        """
        self._driver.advance(n_samples * self.interval_steps)
        batch = read_rows(self._driver.local_rows(FIX, COLUMNS))
        if len(batch.steps) != n_samples:
            raise ComputeError(
                f"LAMMPS took {len(batch.steps)} samples of {n_samples} up to step {self._driver.step}: did "
                "something in the deck end the run early?"
            )
        return batch


def _at_rest(elements: Sequence[str], species: SpeciesSettings) -> list[str]:
    """Return the elements of the framework and of the polyhedra, whose positions are summed."""
    in_polyhedra = {symbol for kind in species.polyhedra for symbol in (kind.center, kind.ligand)}
    return [
        symbol
        for symbol in elements
        if species.in_framework(symbol) or (symbol in in_polyhedra and symbol != species.mobile)
    ]


def _types(elements: Sequence[str], wanted: Sequence[str]) -> str:
    return " ".join(str(k) for k, element in enumerate(elements, start=1) if element in wanted)
