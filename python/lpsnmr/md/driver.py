"""Drive LAMMPS from Python: short runs, and the atoms between them."""

import ctypes
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mpi4py import MPI  # before lammps: it loads the MPI library that lammps needs
from numpy.typing import NDArray

from lpsnmr.elements import atomic_number
from lpsnmr.errors import ComputeError, InputError, MissingPackageError
from lpsnmr.md.commands import FIX_IDS
from lpsnmr.md.plugin import import_lammps, why_not_loaded
from lpsnmr.parallel.abort import abort
from lpsnmr.trajectory.frames import Frame

__all__ = ["LammpsDriver"]

logger = logging.getLogger(__name__)

INT64 = 4  # LAMMPS' code of the data type
LOCAL, ARRAY, ROWS = 2, 2, 4  # codes of what is asked of a fix
OF_THE_PLUGIN = ("ufp", "efg/")  # in names of its styles


class LammpsDriver:
    """One LAMMPS instance on all ranks of a communicator; every method is collective.

    A sample needs no set-up of LAMMPS: ``advance`` continues with ``run N pre no post no``, which
    keeps the neighbour list and the forces, so that the trajectory is the one of a single long run.

    Parameters
    ----------
    comm
        MPI communicator; all of ``MPI.COMM_WORLD`` by default.
    log
        LAMMPS log file, or None for none.
    variables
        LAMMPS index variables set before the first command.
    append
        Append to the log file instead of beginning it anew.

    Raises
    ------
    MissingPackageError
        When Python finds no LAMMPS, or the system cannot load its library.
    ComputeError
        From any method: what LAMMPS said, in one line. On every rank when LAMMPS raised on every
        rank; when it raised on one rank only, ``comm.Abort`` is called so that none hangs.
    """

    def __init__(
        self,
        comm: Any = None,
        log: str | os.PathLike[str] | None = None,
        variables: Mapping[str, str] | None = None,
        append: bool = False,
    ) -> None:
        lammps = import_lammps()
        self.comm = MPI.COMM_WORLD if comm is None else comm
        new_log = "none" if log is None or append else os.fspath(log)
        arguments = ["-screen", "none", "-log", new_log, "-nocite"]
        for name, value in (variables or {}).items():
            arguments += ["-var", name, value]
        self._abort_class = getattr(lammps, "MPIAbortException", None) or lammps.core.MPIAbortException
        try:
            self._lmp = lammps.lammps(cmdargs=arguments, comm=self.comm)
        except OSError as error:  # of the dynamic loader
            raise MissingPackageError(f"LAMMPS' library cannot be loaded: {error}") from None
        self._plugin_problem = why_not_loaded(self._lmp)
        self._numbers: NDArray[np.int32] | None = None
        self._ids: NDArray[np.int64] | None = None
        self._prepared = False
        self._temperature_field: int | None = None  # place of Temp in the thermo output, -1: none
        if log is not None and append:
            self.commands([f'log "{os.fspath(log)}" append'])

    def commands(self, lines: Iterable[str]) -> None:
        """Run LAMMPS commands; the next ``advance`` sets LAMMPS up anew."""
        self._prepared, self._temperature_field = False, None
        for line in lines:
            self._call(self._lmp.command, line, where=line)

    def file(self, path: str | os.PathLike[str]) -> None:
        """Run the commands of an input deck, its own ``run`` commands included."""
        self._prepared, self._temperature_field = False, None
        self._call(self._lmp.file, os.fspath(path), where=os.fspath(path))

    def _call(self, function: Any, *arguments: Any, where: str = "") -> Any:
        try:
            return function(*arguments)
        except self._abort_class as error:
            message = self._tidy(error, where)
            logger.critical("%s", message)
            if self.comm.size == 1:
                raise ComputeError(message) from None
            abort(self.comm, 2)
        except Exception as error:  # the lammps module raises plain Exception
            raise ComputeError(self._tidy(error, where)) from None

    def _tidy(self, error: Exception, where: str) -> str:
        text = " ".join(str(error).split())
        told = f"LAMMPS: {text}" + (f" [at: {where}]" if where and where not in text else "")
        missed = self._plugin_problem and any(style in told for style in OF_THE_PLUGIN)
        return f"{told}; the plugin of lpsnmr is not loaded: {self._plugin_problem}" if missed else told

    def define_types(self, elements: Sequence[str]) -> None:
        """Say which element each LAMMPS type is; needed before ``frame``.

        Raises
        ------
        InputError
            When the number of types differs or the atom ids are not 1 … n.
        """
        n_types = int(self._lmp.extract_global("ntypes"))
        if n_types != len(elements):
            raise InputError(
                f"LAMMPS has {n_types} atom types, but {len(elements)} elements are given: {list(elements)}"
            )
        table = np.asarray([0, *(atomic_number(symbol) for symbol in elements)], dtype=np.int32)
        n = self.n_atoms
        ids = np.frombuffer(self._call(self._lmp.gather_atoms, "id", 0, 1), dtype=np.int32)
        if len(ids) != n or not np.array_equal(ids, np.arange(1, n + 1)):
            raise InputError(f"the atom ids must be 1 to {n} without gaps; use reset_atoms id")
        types = np.frombuffer(self._call(self._lmp.gather_atoms, "type", 0, 1), dtype=np.int32)
        self._numbers = table[types]
        self._ids = ids.astype(np.int64)

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return int(self._lmp.get_natoms())

    @property
    def numbers(self) -> NDArray[np.int32]:
        """Atomic numbers of all atoms in the order of their ids, (n,) int32; none before ``define_types``."""
        return np.zeros(0, dtype=np.int32) if self._numbers is None else self._numbers

    @property
    def step(self) -> int:
        """Current MD step."""
        return int(self._lmp.extract_global("ntimestep", INT64))

    @property
    def timestep_ps(self) -> float:
        """MD time step, ps."""
        return float(self._lmp.extract_global("dt"))

    @property
    def units(self) -> str:
        """LAMMPS unit style."""
        return str(self._lmp.extract_global("units"))

    @property
    def version(self) -> int:
        """LAMMPS version as yyyymmdd."""
        return int(self._lmp.version())

    def unfix(self) -> None:
        """Remove the fixes that this package defined."""
        present = [name for name in FIX_IDS if self._lmp.has_id("fix", name)]
        self.commands(f"unfix {name}" for name in present)

    def advance(self, n_steps: int, ramp: tuple[int, int] | None = None) -> None:
        """Run ``n_steps`` MD steps; with 0 only the forces of the present state are computed.

        ``ramp`` is the first and the last step over which fixes change what they hold from one value to
        another; without it they would do the whole change within these ``n_steps``.
        """
        pre = "no" if self._prepared else "yes"
        span = "" if ramp is None else f" start {ramp[0]} stop {ramp[1]}"
        self._call(
            self._lmp.command, f"run {n_steps} pre {pre} post no{span}", where=f"run from step {self.step}"
        )
        self._prepared = True

    def cell(self) -> NDArray[np.float64]:
        """Return the cell vectors as rows, (3, 3) float64, Å."""
        low, high, xy, yz, xz, _, _ = self._lmp.extract_box()
        lengths = np.subtract(high, low)
        return np.array([[lengths[0], 0.0, 0.0], [xy, lengths[1], 0.0], [xz, yz, lengths[2]]])

    @property
    def periodic(self) -> tuple[bool, bool, bool]:
        """Whether the cell is periodic along each vector."""
        x, y, z = self._lmp.extract_box()[5]
        return bool(x), bool(y), bool(z)

    def frame(self) -> Frame:
        """Return all atoms, on every rank, sorted by id.

        Raises
        ------
        InputError
            When ``define_types`` has not been called.
        ComputeError
            When atoms were lost.
        """
        if self._numbers is None or self._ids is None:
            raise InputError("define_types must be called before frame")
        n = len(self._ids)
        if self.n_atoms != n:
            raise ComputeError(f"LAMMPS lost atoms: {self.n_atoms} left of {n} at step {self.step}")
        positions = np.frombuffer(self._call(self._lmp.gather_atoms, "x", 1, 3), dtype=np.float64).reshape(
            n, 3
        )
        images = np.frombuffer(self._call(self._lmp.gather_atoms, "image", 0, 3), dtype=np.int32).reshape(
            n, 3
        )
        cell = self.cell()
        step = self.step
        return Frame(
            step=step,
            time_ps=step * self.timestep_ps,
            cell=cell,
            pbc=self.periodic,
            ids=self._ids,
            numbers=self._numbers,
            positions=positions,
            unwrapped=positions + images @ cell,
            origin=tuple(self._lmp.extract_box()[0]),
        )

    def local_rows(self, fix: str, columns: int) -> NDArray[np.float64]:
        """Return the rows of this rank in the local array of a fix, (rows, columns) float64; a copy."""
        rows = int(self._call(self._lmp.extract_fix, fix, LOCAL, ROWS, where=f"fix {fix}"))
        if rows == 0:
            return np.zeros((0, columns))
        pointer = self._call(self._lmp.extract_fix, fix, LOCAL, ARRAY, where=f"fix {fix}")
        size = rows * columns * np.dtype(np.float64).itemsize
        address = ctypes.cast(pointer[0], ctypes.c_void_p).value or 0
        return np.frombuffer(ctypes.string_at(address, size), dtype=np.float64).reshape(rows, columns)

    def remove(self, kind: str, name: str) -> None:
        """Remove a fix or a compute if it is there; ``kind`` is ``"fix"`` or ``"compute"``."""
        if self._lmp.has_id(kind, name):
            self.commands([f"un{kind} {name}"])

    def temperature(self) -> float | None:
        """Return ``thermo()["Temp"]``, K, without reading the other columns; None when it is not printed."""
        if self._temperature_field is None:
            self._temperature_field = self._find_column(b"Temp")
        if self._temperature_field < 0:
            return None
        return float(ctypes.c_double.from_address(self._last_thermo(b"data", self._temperature_field)).value)

    def _last_thermo(self, what: bytes, index: int) -> int:
        return int(self._lmp.lib.lammps_last_thermo(self._lmp.lmp, what, index))

    def _find_column(self, name: bytes) -> int:
        if not self.thermo():
            return -1
        count = ctypes.c_int.from_address(self._last_thermo(b"num", 0)).value
        names = [ctypes.string_at(self._last_thermo(b"keyword", k)) for k in range(count)]
        return names.index(name) if name in names else -1

    def thermo(self) -> dict[str, float]:
        """Return what LAMMPS printed last, by column name (Temp, PotEng, Press, …)."""
        return {str(name): float(value) for name, value in (self._lmp.last_thermo() or {}).items()}

    def write_restart(self, path: str | os.PathLike[str]) -> None:
        """Write a LAMMPS restart file; it sorts atoms anew, so the next ``advance`` sets up again."""
        self.commands([f'write_restart "{os.fspath(path)}"'])

    def rescale_cell(self, cell: NDArray[np.float64]) -> None:
        """Change the cell to lower triangular ``cell``, (3, 3) Å, moving the atoms with it."""
        triclinic = bool(self._lmp.extract_global("triclinic"))
        words = " ".join(f"{'xyz'[k]} final 0 {cell[k, k]:.15g}" for k in range(3))
        if triclinic:
            words += f" xy final {cell[1, 0]:.15g} xz final {cell[2, 0]:.15g} yz final {cell[2, 1]:.15g}"
        self.commands([f"change_box all {words} remap units box"])

    def close(self) -> None:
        """End LAMMPS and close its log file."""
        self._lmp.close()
