"""How jumps are told from vibrations."""

from dataclasses import dataclass

from lpsnmr.errors import InputError

__all__ = ["JumpSettings"]


@dataclass(frozen=True)
class JumpSettings:
    """Settings of the jump detectors.

    Attributes
    ----------
    window_ps
        Positions are averaged over windows of this length, ps: beyond the vibrations, below the
        residence times.
    min_stay_ps
        A return after a shorter stay is a recrossing, not two jumps, ps.
    core_radius_angstrom
        An averaged position this close to a site is at the site, Å. Between cores a Li belongs to the
        one it visited last.
    displacement_angstrom
        The criterion without sites: the averaged position leaves its mean by more than this, Å.
    learn_ps
        Sites are found in the density of the averaged positions of this first stretch, ps; it is kept
        in memory and then gone over again.
    separation_angstrom
        Sites are at least this far apart, Å. A Li that rests farther than this from all of them
        founds a new one.
    repeats
        Repeats of the crystal's unit cell in the simulation cell: the density is folded into one.
    """

    window_ps: float = 0.5
    min_stay_ps: float = 2.0
    core_radius_angstrom: float = 0.8
    displacement_angstrom: float = 1.5
    learn_ps: float = 50.0
    separation_angstrom: float = 1.2
    repeats: tuple[int, int, int] = (1, 1, 1)

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name in (
            "window_ps", "min_stay_ps", "core_radius_angstrom", "displacement_angstrom", "learn_ps",
            "separation_angstrom",
        ):  # fmt: skip
            if not getattr(self, name) > 0:
                raise InputError(f"{name}: expected a positive number, got {getattr(self, name)}")
        if len(self.repeats) != 3 or any(int(r) != r or r < 1 for r in self.repeats):
            raise InputError(f"repeats: expected three positive integers, got {tuple(self.repeats)}")

    def fingerprint(self) -> dict[str, str]:
        """Return what a resumed run must not change."""
        return {f"jumps.{name}": str(value) for name, value in vars(self).items()}
