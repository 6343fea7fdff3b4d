"""What a learning run depends on."""

from collections.abc import Callable
from dataclasses import field, replace
from pathlib import Path

from lpsnmr.active_learning.plan import LearnPlan, PlannedRun
from lpsnmr.active_learning.posterior import settings_of_potential
from lpsnmr.labelling import EngineChoice
from lpsnmr.potential import FitSettings
from lpsnmr.strict_model import AtLeastOne, checked_dataclass

__all__ = ["LABELS", "LearnSettings", "Progress"]

Progress = Callable[[str, int, int], None]
LABELS = ("energy", "forces", "stress")


@checked_dataclass
class LearnSettings:
    """What a learning run depends on.

    Attributes
    ----------
    folder
        Results; ``round-01``, ``round-02``, … in it.
    reference
        Labelled frames to begin with.
    potential
        Potential to begin with; its sidecar says how it was fitted, and so how later ones are.
    plan
        What is sampled in a round.
    engine
        What labels.
    rounds, frames
        Number of rounds, frames labelled in each.
    jobs
        Labels computed side by side.
    folds, steps_per_block
        Cross-validation of the refits; whole runs when ``steps_per_block`` is None.
    seed
        Of the trajectories and the folds.
    mix_labels
        Labels may be of another recipe (``label_id``) than those of the reference.
    """

    folder: Path
    reference: tuple[Path, ...]
    potential: Path
    plan: LearnPlan
    engine: EngineChoice = field(default_factory=EngineChoice)
    rounds: AtLeastOne = 1
    frames: AtLeastOne = 10
    jobs: AtLeastOne = 1
    folds: int = 5
    steps_per_block: int | None = None
    seed: int = 0
    mix_labels: bool = False

    def fit_settings(self, like: Path) -> FitSettings:
        """Return the settings of a refit: those of the potential ``like`` with the folds of this run.

        Raises
        ------
        InputError
            For a sidecar that is none, and folds that cannot be.
        """
        return replace(
            settings_of_potential(like),
            folds=self.folds,
            steps_per_block=self.steps_per_block,
            seed=self.seed,
        )

    def limit(self, planned: PlannedRun) -> int:
        """Return how many frames of a run may be labelled in a round: ``most``, or twice its share."""
        share = min(self.frames, -(-2 * self.frames // len(self.plan.run)))
        return share if planned.most is None else planned.most

    def trajectory_seed(self, number: int, k: int) -> int:
        """Return the seed of trajectory ``k`` (from 0) of the plan in round ``number`` (from 1)."""
        return self.seed + 1000 * number + 7 * k + 1
