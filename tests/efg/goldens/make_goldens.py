"""Make the goldens that the C++, Python and LAMMPS tests of the EFG prediction share.

    python tests/efg/goldens/make_goldens.py        in the root of the repository

``field.efg`` has random weights; ``model.efg`` too, as version 1 of the format wrote it: it is read, not made
anew. ``frame.txt`` is a skewed periodic cell (three vectors, then atomic number and position per atom, Å);
``expected_….txt`` are the five components (V/Å²) of each target by the slow SciPy reference, which shares no
code with the predictor.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from lpsnmr.efg import EfgModel  # noqa: E402
from oracles import efg_oracle  # noqa: E402
from support.efg_cases import FIELD, random_atoms, random_model  # noqa: E402


def main():
    """Write the files."""
    random_model(dataclasses.replace(FIELD, bridges=(15, 16)), seed=12).save(HERE / "field.efg")
    atoms = random_atoms(21, 14)
    # LAMMPS wants the first vector along x and the second in the x-y plane
    atoms.set_cell([[6.4, 0.0, 0.0], [0.9, 6.1, 0.0], [-0.6, 0.5, 6.7]], scale_atoms=True)
    atoms.positions = np.round(atoms.positions, 6)
    targets = np.flatnonzero(atoms.numbers == 3)
    with (HERE / "frame.txt").open("w", encoding="utf-8") as file:
        for vector in atoms.cell.array:
            print(*(f"{x:.6f}" for x in vector), file=file)
        for z, position in zip(atoms.numbers, atoms.positions, strict=True):
            print(z, *(f"{x:.6f}" for x in position), file=file)
    for name in ("model", "field"):
        model = EfgModel.load(HERE / f"{name}.efg")
        features = np.array([efg_oracle.features(atoms, t, model.settings) for t in targets])
        np.savetxt(HERE / f"expected_{name}.txt", features @ model.targets["Li"].weights, fmt="%.17g")


if __name__ == "__main__":
    main()
