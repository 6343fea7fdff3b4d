"""Make the goldens that the C++, Python and LAMMPS tests of the EFG prediction share.

    python tests/efg/goldens/make_goldens.py        in the root of the repository

``model.efg`` has random weights; ``frame.txt`` a skewed periodic cell (three vectors, then atomic number and
position per atom, Å); ``expected.txt`` the five components (V/Å²) of each target by the slow SciPy reference,
which shares no code with the predictor.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from efg_cases import SMALL, random_atoms, random_model  # noqa: E402
from reference import efg_oracle  # noqa: E402


def main():
    """Write the three files."""
    settings = type(SMALL)(**{**SMALL.__dict__, "bridges": (15, 16)})
    model = random_model(settings, seed=11)
    atoms = random_atoms(21, 14)
    # LAMMPS wants the first vector along x and the second in the x-y plane
    atoms.set_cell([[6.4, 0.0, 0.0], [0.9, 6.1, 0.0], [-0.6, 0.5, 6.7]], scale_atoms=True)
    atoms.positions = np.round(atoms.positions, 6)
    model.save(HERE / "model.efg")
    targets = np.flatnonzero(atoms.numbers == 3)
    features = np.array([efg_oracle.features(atoms, t, settings) for t in targets])
    with (HERE / "frame.txt").open("w", encoding="utf-8") as file:
        for vector in atoms.cell.array:
            print(*(f"{x:.6f}" for x in vector), file=file)
        for z, position in zip(atoms.numbers, atoms.positions, strict=True):
            print(z, *(f"{x:.6f}" for x in position), file=file)
    np.savetxt(HERE / "expected.txt", features @ model.targets["Li"].weights, fmt="%.17g")


if __name__ == "__main__":
    main()
