"""What a fit depends on but the data."""

from dataclasses import field

from pydantic import Field

from lpsnmr.errors import InputError
from lpsnmr.potential.basis import BasisSettings
from lpsnmr.potential.prior import PriorSettings
from lpsnmr.potential.rows import WeightSettings
from lpsnmr.reference.terms import LabelChoice
from lpsnmr.strict_model import AtLeastOne, Count, checked_dataclass

__all__ = ["FitSettings"]


@checked_dataclass
class FitSettings:
    """Everything a fit depends on but the data.

    ``priors`` holds the candidates; the one with the smallest held-out weighted residual is taken, and
    ``search`` > 0 goes on from it, changing one width after the other, for at most so many trials. Blocks
    are whole runs, or stretches of ``steps_per_block`` MD steps of a run. ``folds`` = 0 skips
    cross-validation (one candidate only). ``bootstrap`` is the number of further committee members, each
    fitted to blocks drawn with replacement. ``run_weights`` holds patterns of run names (``b32_*``) and the
    weight of their squared residuals; the last that matches counts. ``learning_curve`` asks for fits to fewer
    folds as well. ``labels`` says which sum of the reference frames' labels is fitted, as
    ``LabelChoice.parse`` takes it; labels of further data sets are taken as they are.
    """

    basis: BasisSettings = field(default_factory=BasisSettings)
    priors: tuple[PriorSettings, ...] = (PriorSettings(),)
    weights: WeightSettings = field(default_factory=WeightSettings)
    folds: Count = 5
    steps_per_block: AtLeastOne | None = Field(default=None, title="steps per block")
    seed: int = 0
    monotone_core: bool = True
    search: Count = 0
    bootstrap: Count = 0
    run_weights: tuple[tuple[str, float], ...] = ()
    learning_curve: bool = True
    labels: str = "pbe"

    def __post_init__(self) -> None:
        """Refuse a choice without the means to choose."""
        LabelChoice.parse(self.labels)
        if not self.priors:
            raise InputError("no prior given; expected at least one")
        if self.folds == 1:
            raise InputError(f"folds: expected 0 (no cross-validation) or at least 2, got {self.folds}")
        if self.folds == 0 and (len(self.priors) > 1 or self.search):
            number = max(len(self.priors), self.search)
            raise InputError(f"{number} priors to choose from need cross-validation (folds >= 2)")
        for pattern, weight in self.run_weights:
            if not weight > 0:
                raise InputError(f"weight of the runs {pattern}: expected a positive number, got {weight}")
