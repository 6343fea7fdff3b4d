"""Time the readers of all trajectory formats beside ASE or MDAnalysis: MB of file and frames per second.

    python benchmarks/kernels/bench_formats.py [--frames 300] [--atoms 128] > benchmarks/results/formats.json

Wall time, since XTC, TRR, DCD and NetCDF are read in a process of their own; medians of five rounds. In each
round ours and the other are timed one after the other, so that a busy machine slows both; the first reading
of each, which imports packages and starts that process, is not counted. Compressed dumps are counted by the
size of their text. XTC, TRR, DCD and NetCDF are read by MDAnalysis here too: ours adds the checks, and a pass
over the file for its steps and times.
"""

import argparse
import bz2
import gzip
import json
import lzma
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import ase
import ase.io
import numpy as np
import zstandard

from lpsnmr.trajectory.formats import ReaderOptions, open_trajectory
from lpsnmr.trajectory.step_index import dump_steps

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "dump": bytes,
    "dump.gz": lambda text: gzip.compress(text, 6),
    "dump.zst": lambda text: zstandard.ZstdCompressor().compress(text),
    "dump.bz2": bz2.compress,
    "dump.xz": lambda text: lzma.compress(text, preset=1),
}
MDA = {"xtc": "XTC", "trr": "TRR", "dcd": "DCD", "nc": "NCDF"}


def frames_of(n_frames: int, n_atoms: int) -> list[ase.Atoms]:
    """Return frames of a random walk."""
    rng = np.random.default_rng(0)
    symbols = (["Li", "Li", "Li", "P", "S", "S", "S", "S"] * n_atoms)[:n_atoms]
    start = rng.uniform(0, 20, (n_atoms, 3))
    walk = np.cumsum(rng.normal(scale=0.05, size=(n_frames, n_atoms, 3)), axis=0)
    return [ase.Atoms(symbols, positions=start + step, cell=[20, 20, 20], pbc=True) for step in walk]


def dump_of(frames: list[ase.Atoms]) -> bytes:
    """Return a dump of ``id element xu yu zu``."""
    out = []
    for k, frame in enumerate(frames):
        out.append(f"ITEM: TIMESTEP\n{50 * k}\nITEM: NUMBER OF ATOMS\n{len(frame)}\n")
        out.append("ITEM: BOX BOUNDS pp pp pp\n0 20\n0 20\n0 20\nITEM: ATOMS id element xu yu zu\n")
        rows = zip(frame.symbols, frame.positions.tolist(), strict=True)
        out += [f"{i} {s} {x[0]:.5f} {x[1]:.5f} {x[2]:.5f} \n" for i, (s, x) in enumerate(rows, start=1)]
    return "".join(out).encode()


def write_with_mda(path: Path, frames: list[ase.Atoms]) -> None:
    """Write one of the formats of MDAnalysis."""
    import MDAnalysis

    universe = MDAnalysis.Universe.empty(len(frames[0]), trajectory=True)
    options = {"dt": 0.1, "nsavc": 50, "istart": 0} if path.suffix == ".dcd" else {}
    with MDAnalysis.Writer(str(path), len(frames[0]), **options) as writer:
        for k, frame in enumerate(frames):
            universe.atoms.positions = frame.positions
            universe.trajectory.ts.dimensions = frame.cell.cellpar()
            universe.trajectory.ts.time, universe.trajectory.ts.data["step"] = 0.1 * k, 50 * k
            writer.write(universe.atoms)


def medians(readers: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median wall time of each reader, s; each round times all of them in turn."""
    for read in readers.values():
        read()
    times: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(rounds):
        for name, read in readers.items():
            begin = time.perf_counter()
            read()
            times[name].append(time.perf_counter() - begin)
    return {name: float(np.median(found)) for name, found in times.items()}


def peer_of(path: Path, kind: str) -> Callable[[], object]:
    """Return how ASE or MDAnalysis reads a file."""
    if kind in MDA or kind == "dump":
        import MDAnalysis

        names = {"format": MDA.get(kind, "LAMMPSDUMP")}
        n_atoms = None
        if kind in MDA:
            with MDAnalysis.coordinates.core.get_reader_for(str(path), **names)(str(path)) as reader:
                n_atoms = reader.n_atoms
            universe = MDAnalysis.Universe.empty(n_atoms, trajectory=False)
            return lambda: sum(1 for _ in universe.load_new(str(path), **names).trajectory)
        return lambda: sum(1 for _ in MDAnalysis.Universe(str(path), **names).trajectory)
    return lambda: sum(1 for _ in ase.io.iread(path, index=":"))


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--atoms", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    frames = frames_of(options.frames, options.atoms)
    text = dump_of(frames)
    numbers = np.asarray(frames[0].numbers, dtype=np.int32)
    result: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in (*PACKERS, "extxyz", "traj", "XDATCAR", *MDA):
            path = Path(folder) / (kind if kind == "XDATCAR" else f"a.{kind}")
            if kind in PACKERS:
                path.write_bytes(PACKERS[kind](text))
            elif kind in MDA:
                write_with_mda(path, frames)
            else:
                ase.io.write(path, frames, **({"format": "vasp-xdatcar"} if kind == "XDATCAR" else {}))
            megabytes = (len(text) if kind in PACKERS else path.stat().st_size) / 1e6
            read = ReaderOptions(numbers=numbers)

            def ours(path: Path = path, read: ReaderOptions = read) -> int:
                return sum(1 for _ in open_trajectory(path, read))

            readers: dict[str, Callable[[], object]] = {"reader": ours}
            if kind in PACKERS:
                readers["step_index"] = lambda path=path: dump_steps(path)
            if kind == "dump" or kind not in PACKERS:
                readers["peer"] = peer_of(path, kind)
            row = {"megabytes": round(megabytes, 3)}
            for name, taken in medians(readers, options.rounds).items():
                row[f"{name}_mb_per_s"] = round(megabytes / taken, 1)
                row[f"{name}_frames_per_s"] = round(options.frames / taken)
            result[kind] = row
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
