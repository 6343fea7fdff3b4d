"""Write cells of β-Li3PS4 with their images, as threads_ufp.cpp reads them, to standard output.

    python benchmarks/kernels/threads_cells.py

Of 64, 128, 256 and 1024 atoms, displaced by 0.15 Å, with all images within 6 Å (the reach of
lps_23body.uf3 and a skin of 1 Å) of the cell.
"""

import numpy as np

from lpsnmr._core import neighbor_list
from lpsnmr.structures import load_structure, supercell

REACH = 6.0  # Å
SPECIES = {3: 0, 15: 1, 16: 2}


def main() -> None:
    """Print the cells."""
    for repeat in ((1, 1, 2), (1, 2, 2), (2, 2, 2), (2, 4, 4)):
        atoms = supercell(load_structure("beta-Li3PS4"), repeat)
        atoms.rattle(0.15, seed=1)
        first, second, vectors, _ = neighbor_list(atoms.positions, atoms.cell.array, [True] * 3, REACH)
        centers = np.repeat(np.arange(len(atoms)), np.diff(first))
        images = np.round(atoms.positions[centers] + vectors, 9)
        species = np.array([SPECIES[z] for z in atoms.numbers])
        inside = {tuple(r) for r in np.round(atoms.positions, 9)}
        ghosts = {tuple(r): species[j] for r, j in zip(images, second, strict=True) if tuple(r) not in inside}
        print(len(atoms), len(atoms) + len(ghosts))
        for r, s in zip(atoms.positions, species, strict=True):
            print(*r, s)
        for r, s in ghosts.items():
            print(*r, s)


if __name__ == "__main__":
    main()
