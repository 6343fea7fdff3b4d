"""What to sample in a round of learning, read from TOML."""

import sys
from importlib.resources import files
from pathlib import Path

from ase import Atoms
from pydantic import Field, PrivateAttr, ValidationError

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.md.schedule import Stage
from lpsnmr.strict_model import StrictModel
from lpsnmr.structures import lithium_disordered, load_structure, packed, strained, supercell

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["LearnPlan", "PlannedRun", "default_plan_text", "load_plan"]


class PlannedRun(StrictModel):
    """One MD trajectory: ``[[run]]`` of a plan."""

    name: str = Field(pattern=r"^[A-Za-z0-9_+.\-]+$", description="unique name")
    structure: str = Field(description="shipped crystal or structure file")
    supercell: tuple[int, int, int] = Field(default=(1, 1, 1), description="repeats")
    volume_strain: float = Field(default=0.0, gt=-0.3, lt=0.3, description="relative change of volume")
    strain: tuple[float, float, float, float, float, float] | None = Field(
        default=None, description="xx yy zz yz xz xy"
    )
    pack: bool = Field(default=False, description="pack its PS4 units and Li into the cell at random")
    li_disorder: float = Field(default=0.0, ge=0, le=1, description="share of Li moved to other voids")
    stages: list[tuple[float, float, float]] = Field(
        min_length=1, description="length in ps, temperature at the begin and at the end in K"
    )
    discard_ps: float = Field(default=2.0, ge=0, description="frames before this are not candidates")
    most: int | None = Field(default=None, ge=0, description="most frames of this run in a round")
    whole: bool = Field(default=True, description="candidates need every P with four S")

    def schedule(self) -> list[Stage]:
        """Return the stages of the MD."""
        return [Stage(*stage) for stage in self.stages]

    def crystal(self) -> Atoms:
        """Return the strained supercell, before anything in it is moved."""
        atoms = supercell(load_structure(self.structure), self.supercell)
        if self.volume_strain:
            linear = (1 + self.volume_strain) ** (1 / 3) - 1
            atoms = strained(atoms, (linear, linear, linear, 0, 0, 0))
        if self.strain is not None:
            atoms = strained(atoms, self.strain)
        return atoms

    def start(self, seed: int) -> Atoms:
        """Return the starting structure."""
        atoms = self.crystal()
        if self.pack:
            atoms = packed(atoms, seed)
        if self.li_disorder:
            atoms = lithium_disordered(atoms, self.li_disorder, seed)
        return atoms


class LearnPlan(StrictModel):
    """All trajectories of a round."""

    interval_ps: float = Field(default=0.5, gt=0, description="time between candidates, ps")
    timestep_fs: float = Field(default=2.0, gt=0, description="MD time step, fs")
    stop_grade: float = Field(
        default=3.0, gt=0, description="a trajectory ends at the first frame with an atom above this grade"
    )
    run: list[PlannedRun] = Field(min_length=1, description="trajectories")
    _where: str = PrivateAttr(default="plan")

    @property
    def where(self) -> str:
        """Return the file it was read from, for messages."""
        return self._where


def default_plan_text() -> str:
    """Return the plan that ships with the package, TOML."""
    return (files("lpsnmr.data") / "plans" / "li3ps4.toml").read_text(encoding="utf-8")


def _complaint(error: ValidationError, text: str) -> str:
    """Return entry, what was expected and what was found of the first error, with the name of the run."""
    first = error.errors()[0]
    entry = [str(word) for word in first["loc"]]
    if len(entry) > 2 and entry[0] == "run":
        name = tomllib.loads(text)["run"][int(entry[1])].get("name")
        if isinstance(name, str) and entry[2] != "name":
            entry = [f"run {name}: {entry[2]}", *entry[3:]]
    got = first["input"]
    found = f", got {got!r}" if isinstance(got, (str, bool, int, float)) else ""
    return f"{'.'.join(entry)}: {first['msg']}{found}"


def load_plan(path: Path | None = None) -> LearnPlan:
    """Read a plan; the shipped one without a path.

    Other shipped plans are known by their names, ``hot.toml`` and ``melt.toml``, where there is no such file.

    Raises
    ------
    FileFormatError
        For a file that is missing or no plan; names the first offending entry.
    InputError
        For two runs of one name.
    """
    where = str(path) if path is not None else "shipped plan"
    try:
        shipped = files("lpsnmr.data") / "plans" / str(path)
        if path is None:
            text = default_plan_text()
        elif not path.exists() and path.name == str(path) and shipped.is_file():
            text = shipped.read_text(encoding="utf-8")
        else:
            text = path.read_text(encoding="utf-8")
        plan = LearnPlan.model_validate(tomllib.loads(text))
        plan._where = where
    except OSError as error:
        raise FileFormatError(f"{where}: no such plan ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{where}: not TOML: {error}") from error
    except ValidationError as error:
        raise FileFormatError(f"{where}: {_complaint(error, text)}") from error
    names = [run.name for run in plan.run]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{where}: two runs are called {name!r}; expected unique names")
    return plan
