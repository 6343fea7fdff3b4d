"""A learning run that is quick."""

import ase.io
import pytest
from ase.build import bulk

from lpsnmr.active_learning import LearnSettings, load_plan
from lpsnmr.labelling import EngineChoice
from lpsnmr.potential import DataSet, FitSettings, PriorSettings, fit_ufp, save_fit
from lpsnmr.reference import read_reference
from support.emt_runs import BASIS, PLAN, labelled


@pytest.fixture
def setup(tmp_path):
    """Return settings of a run that begins with six nearly perfect crystals."""
    reference, potential, cell = (tmp_path / n for n in ("ref.extxyz", "cu.uf3", "cell.extxyz"))
    ase.io.write(reference, labelled(6, 0.02), format="extxyz")
    ase.io.write(cell, bulk("Cu", cubic=True) * (2, 2, 1), format="extxyz")
    data = [DataSet(read_reference(reference, require=("energy", "forces")))]
    fit = FitSettings(BASIS, (PriorSettings(2.0, 0.5, 1.0, 1.0),), folds=0)
    save_fit(potential, fit_ufp(data, fit), fit, data, [[reference]])
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.format(cell=cell))

    def settings(**changes):
        return LearnSettings(
            **{
                "folder": tmp_path / "learn",
                "reference": (reference,),
                "potential": potential,
                "plan": changes.get("plan") or load_plan(plan),
                "engine": EngineChoice("emt"),
                "rounds": 2,
                "frames": 4,
                "folds": 3,
                **changes,
            }
        )

    return settings
