"""Outputs of DFT programs, in the layout that they print, of frames with known labels."""

import numpy as np

GPA = 160.21766208


def labels_of(frame):
    results = frame.calc.results
    return results["energy"], results["forces"], results["stress"]


def outcar(frames, efg=None):
    """VASP: an OUTCAR of several ionic steps; ``efg`` (steps, n, 9) V/Å² as LEFG prints it."""
    symbols, counts = np.unique([str(s) for s in frames[0].symbols], return_counts=True)
    text = [" vasp.6.4.2 20Jul23 (build x) complex", ""]
    text += [f" POTCAR:    PAW_PBE {s} 10Sep2004" for _ in range(2) for s in symbols]
    text += ["   ions per type =            " + " ".join(f"{n:4d}" for n in counts)]
    text += ["   ISPIN  =      1    spin polarized calculation?", ""]
    for k, frame in enumerate(frames):
        energy, forces, s = labels_of(frame)
        kbar = [-10 * GPA * s[i] for i in (0, 1, 2, 5, 3, 4)]  # XX YY ZZ XY YZ ZX, positive under compression
        text += [
            f"--------------------------------- Iteration {k + 1:6d}(   1)  ---------------------------",
            "",
        ]
        text += ["  in kB  " + " ".join(f"{x:14.7f}" for x in kbar), ""]
        text += ["      direct lattice vectors                 reciprocal lattice vectors"]
        text += ["  " + " ".join(f"{x:16.10f}" for x in (*row, 0, 0, 0)) for row in frame.cell[:]]
        text += ["", " POSITION                                       TOTAL-FORCE (eV/Angst)", " " + "-" * 83]
        text += [
            " " + " ".join(f"{x:16.10f}" for x in (*position, *force))
            for position, force in zip(frame.positions, forces, strict=True)
        ]
        text += [" " + "-" * 83, ""]
        if efg is not None:
            text += [" Electric field gradients (V/A^2)", " " + "-" * 69]
            text += ["  ion       V_xx      V_yy      V_zz      V_xy      V_xz      V_yz", " " + "-" * 69]
            for i, row in enumerate(np.asarray(efg[k]).reshape(-1, 3, 3)):
                six = (row[0, 0], row[1, 1], row[2, 2], row[0, 1], row[0, 2], row[1, 2])
                text.append(f"{i + 1:5d} " + " ".join(f"{x:12.6f}" for x in six))
            text += [" " + "-" * 69, ""]
        text += ["  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)", "  " + "-" * 51]
        text += [f"  free  energy   TOTEN  = {energy:20.8f} eV", ""]
        text += [f"  energy  without entropy= {energy:20.8f}  energy(sigma->0) = {energy:20.8f}", ""]
    return "\n".join(text) + "\n"


def magres(frame, efg, program="CASTEP"):
    """Magres format 1.0 (CASTEP, QE-GIPAW): tensors in atomic units; rows of None are left out."""
    count, indices = {}, []
    for symbol in frame.symbols:
        count[symbol] = count.get(symbol, 0) + 1
        indices.append(count[symbol])
    text = ["#$magres-abinitio-v1.0", "[calculation]", f"calc_code {program}", "[/calculation]", "[atoms]"]
    text += ["units lattice Angstrom", "lattice " + " ".join(f"{x:.10f}" for x in frame.cell[:].ravel())]
    text += ["units atom Angstrom"]
    for symbol, index, x in zip(frame.symbols, indices, frame.positions, strict=True):
        text.append(f"atom {symbol} {symbol} {index} " + " ".join(f"{v:.10f}" for v in x))
    text += ["[/atoms]", "[magres]", "units efg au"]
    for symbol, index, tensor in zip(frame.symbols, indices, efg, strict=True):
        if tensor is not None:
            text.append(f"efg {symbol} {index} " + " ".join(f"{v:.10f}" for v in np.ravel(tensor)))
    return "\n".join([*text, "[/magres]"]) + "\n"


def castep(frame):
    """CASTEP: the .castep file of a single point."""
    energy, forces, s = labels_of(frame)
    line = " +" + "-" * 65 + "+"
    text = [line, " |  Welcome to Academic Release CASTEP version 24.1   |", line, ""]
    text += [" " + "*" * 34 + " Title " + "*" * 34, "", " " + "*" * 75, ""]
    text += [" " * 27 + "-------------------------------", " " * 33 + "Unit Cell", " " * 27 + "-" * 31]
    text += ["        Real Lattice(A)              Reciprocal Lattice(1/A)"]
    text += ["  " + " ".join(f"{x:14.8f}" for x in (*row, 0.1, 0.1, 0.1)) for row in frame.cell[:]]
    text += ["", "                           Cell Contents"]
    text += [f"                         Total number of ions in cell = {len(frame):4d}"]
    text += [f"                      Total number of species in cell = {len(set(frame.symbols)):4d}", ""]
    text += ["            x  Element         Atom        Fractional coordinates of atoms  x"]
    text += ["            x                 Number           u          v          w      x"]
    text += ["            x----------------------------------------------------------x"]
    count = {}
    for symbol, x in zip(frame.symbols, frame.get_scaled_positions(wrap=False), strict=True):
        count[symbol] = count.get(symbol, 0) + 1
        text.append(f" x {symbol:6s} {count[symbol]:6d} " + " ".join(f"{v:12.8f}" for v in x) + " x")
    text += ["", f"Final energy = {energy:18.10f}     eV", ""]
    text += [" ******************************** Forces *********************************"]
    text += [
        " *                  Cartesian components (eV/A)                          *",
        " *" + " " * 50 + "*",
    ]
    for symbol, force in zip(frame.symbols, forces, strict=True):
        text.append(f" * {symbol} 1 " + " ".join(f"{v:14.8f}" for v in force) + " *")
    text += [" *" + " " * 50 + "*", " ***************** Stress Tensor *****************"]
    text += [" *          Cartesian components (GPa)           *"]
    full = np.array([[s[0], s[5], s[4]], [s[5], s[1], s[3]], [s[4], s[3], s[2]]]) * GPA
    text += [f" *  {'xyz'[i]} " + " ".join(f"{v:14.8f}" for v in full[i]) + " *" for i in range(3)]
    text += [
        " *                                               *",
        f" *  Pressure: {-np.trace(full) / 3:12.4f} *",
    ]
    text += ["", "Initialisation time =      1.00 s", "Total time          =      9.00 s"]
    text += ["Finalisation time   =      0.10 s", ""]
    return "\n".join(text) + "\n"
