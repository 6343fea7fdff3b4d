"""All-electron PBE gradients of isolated molecules in Gaussian functions, to test the PAW tensors.

    pip install pyscf && python tests/oracles/all_electron_efg.py

The basis of Li is even-tempered (s, p, d and f), those of the others are aug-pc-3: standard sets on Li
scatter by tens of per cent. Prints the tensors in atomic units, V_ab = d2(phi)/dx_a dx_b; a positive
charge on z gives V_zz > 0. The numbers of LiH stand in tests/labelling/test_gpaw_labels.py.
"""

import numpy as np
from pyscf import dft, gto

MOLECULES = {
    "LiH": {"Li": (0, 0, 0), "H": (0, 0, 1.5957)},
    "LiSH": {"Li": (3.6, 4.1, 3.9), "S": (5.6, 4.4, 4.3), "H": (5.4, 5.6, 4.9)},
}  # Å


def lithium_basis() -> list:
    """Return even-tempered primitives."""
    shells = [[0, [0.03 * 2.4**k, 1.0]] for k in range(15)]
    shells += [[1, [0.03 * 2.2**k, 1.0]] for k in range(11)]
    shells += [[2, [0.1 * 2.4**k, 1.0]] for k in range(6)]
    shells += [[3, [0.2 * 2.5**k, 1.0]] for k in range(3)]
    return shells


def gradient(molecule, density, atom: int) -> np.ndarray:
    """Return the traceless tensor at a nucleus, (3, 3) a.u."""
    with molecule.with_rinv_origin(molecule.atom_coord(atom)):
        left = molecule.intor("int1e_ipiprinv", comp=9).reshape(3, 3, molecule.nao, molecule.nao)
        both = molecule.intor("int1e_iprinvip", comp=9).reshape(3, 3, molecule.nao, molecule.nao)
    electrons = np.einsum("xymn,mn->xy", left + both, density)
    electrons = electrons + electrons.T
    nuclei = np.zeros((3, 3))
    for other in range(molecule.natm):
        if other != atom:
            r = molecule.atom_coord(other) - molecule.atom_coord(atom)
            d = np.linalg.norm(r)
            nuclei += molecule.atom_charge(other) * (3 * np.outer(r, r) - np.eye(3) * d**2) / d**5
    total = nuclei - electrons
    return total - np.eye(3) * np.trace(total) / 3


def main() -> None:
    """Print the tensors."""
    for name, positions in MOLECULES.items():
        molecule = gto.M(
            atom=list(positions.items()),
            unit="Angstrom",
            basis={symbol: lithium_basis() if symbol == "Li" else "aug-pc-3" for symbol in positions},
        )
        field = dft.RKS(molecule, xc="pbe,pbe")
        field.grids.level = 6
        field.conv_tol = 1e-11
        field.kernel()
        density = field.make_rdm1()
        for n, symbol in enumerate(positions):
            tensor = gradient(molecule, density, n)
            print(name, symbol, np.round(tensor, 5).tolist(), np.round(np.linalg.eigvalsh(tensor), 5))


if __name__ == "__main__":
    main()
