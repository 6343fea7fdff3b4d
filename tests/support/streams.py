"""Streams: their configuration from the names of its options, and dumps to read."""

import json

import numpy as np

from lpsnmr.runs.config import load_config
from lpsnmr.structures import load_structure
from oracles.hopping import Lattice

KEYS = {
    "folder": "output.folder",
    "checkpoint_min": "output.checkpoint_min",
    "tensors_ps": "output.tensors_ps",
    "nucleus": "efg.nucleus",
    "jump_distance_angstrom": "jumps.distance_angstrom",
    **{
        name: f"sampling.{name}"
        for name in (
            "interval_ps", "points_per_level", "window_ps", "evolution_times_us", "orientation_degree",
            "field_directions",
        )
    },
}  # fmt: skip
"""Name of an option: its key, where that is not in [stream]."""


def stream_settings(**options):
    """Return settings that differ from the defaults in these."""
    words = []
    for name, value in options.items():
        text = json.dumps(str(value) if name == "folder" else value)
        words.append(f"{KEYS.get(name, f'stream.{name}')}={text}")
    return load_config(None, words, "stream")


def dump_frames(n, every=10, columns="xu yu zu", time=False):
    """Frames of a vibrating β cell that drifts through the boundary."""
    crystal = load_structure("beta-Li3PS4")
    rng = np.random.default_rng(5)
    texts = []
    for k in range(n):
        positions = crystal.positions + rng.normal(scale=0.05, size=(32, 3)) + 0.4 * k
        fractional = np.linalg.solve(crystal.cell[:].T, positions.T).T
        images = np.floor(fractional).astype(int)
        wrapped = positions - images @ crystal.cell[:]
        values = {
            "xu yu zu": positions, "x y z": wrapped, "x y z ix iy iz": np.hstack([wrapped, images])
        }[columns]  # fmt: skip
        lines = [f"ITEM: TIME\n{0.002 * every * k!r}"] if time else []
        lines += [f"ITEM: TIMESTEP\n{k * every}\nITEM: NUMBER OF ATOMS\n32\nITEM: BOX BOUNDS pp pp pp"]
        lines += [f"0 {length!r}" for length in crystal.cell.lengths().tolist()]
        lines += [f"ITEM: ATOMS id element {columns}"]
        rows = [f"{i + 1} {crystal.symbols[i]} " + " ".join(map(repr, values[i].tolist())) for i in range(32)]
        texts.append("\n".join(lines + rows) + "\n")
    return texts


def hopping_dump(path, low, n=2000, edge_rate=0.02):
    """Write Li that hop over known sites, in a box that begins at ``low``; return the true rate per ps."""
    atoms = load_structure("beta-Li3PS4")
    lattice = Lattice.beta()
    rng = np.random.default_rng(2)
    _, x, _ = lattice.walk(rng, n, 12, 0.1, edge_rate, 0.12)
    lithium = np.flatnonzero(atoms.numbers == 3)
    box = "".join(f"{a} {a + b!r}\n" for a, b in zip(low, atoms.cell.lengths().tolist(), strict=True))
    with path.open("w") as file:
        for t, li in enumerate(x):
            positions = atoms.positions + 0.03 * rng.normal(size=(32, 3))
            positions[lithium] = li
            positions += low
            file.write(
                f"ITEM: TIMESTEP\n{50 * t}\nITEM: NUMBER OF ATOMS\n32\nITEM: BOX BOUNDS pp pp pp\n{box}"
                "ITEM: ATOMS id element xu yu zu\n"
            )
            file.writelines(
                f"{i + 1} {atoms.symbols[i]} {a:.4f} {b:.4f} {c:.4f}\n"
                for i, (a, b, c) in enumerate(positions)
            )
    return lattice.mean_rate(edge_rate)
