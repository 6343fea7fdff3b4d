"""``thermo.csv``: what LAMMPS would print, at a bounded rate, in one file per run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lpsnmr.errors import ComputeError
from lpsnmr.files.atomic import written_aside

__all__ = ["ThermoFile"]

COLUMNS: Final = (
    ("temperature_k", "Temp"),
    ("potential_ev", "PotEng"),
    ("total_ev", "TotEng"),
    ("pressure_bar", "Press"),
    ("volume_angstrom3", "Volume"),
)
"""Our column name and that of LAMMPS' thermo output; left empty when the output lacks it."""


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Name the file when it cannot be written."""
    try:
        yield
    except OSError as error:
        raise ComputeError(f"cannot write {path}: {error}") from error


class ThermoFile:
    """Append lines to a CSV file.

    Every method raises ``ComputeError`` when the file cannot be written (disk full).

    Parameters
    ----------
    path
        File; a header is written when it is new.
    polyhedra
        Formulas of the polyhedra in small letters, for the name of the last column.
    after_step
        Lines of later steps are dropped first (a resumed run makes them again); -1 starts over.
    """

    def __init__(self, path: Path, after_step: int, polyhedra: Sequence[str]) -> None:
        self._path = path
        header = ",".join(
            [
                "stage",
                "step",
                "time_ps",
                *(name for name, _ in COLUMNS),
                f"intact_{'_'.join(polyhedra) or 'polyhedra'}",
            ]
        )
        kept = [header]
        if after_step >= 0 and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines()[1:]:
                fields = line.split(",")
                if len(fields) == len(COLUMNS) + 4 and fields[1].isdigit() and int(fields[1]) <= after_step:
                    kept.append(line)
        with _writing(path):
            with written_aside(path) as aside:
                aside.write_text("\n".join(kept) + "\n", encoding="utf-8")
            self._file = path.open("a", encoding="utf-8")

    def write(self, stage: str, step: int, time_ps: float, thermo: dict[str, float], intact: int) -> None:
        """Append one line."""
        values = [f"{thermo[key]:.10g}" if key in thermo else "" for _, key in COLUMNS]
        with _writing(self._path):
            self._file.write(",".join([stage, str(step), f"{time_ps:.10g}", *values, str(intact)]) + "\n")

    def close(self) -> None:
        """Flush and close."""
        with _writing(self._path):
            self._file.close()

    def flush(self) -> None:
        """Hand the lines so far to the system."""
        with _writing(self._path):
            self._file.flush()
