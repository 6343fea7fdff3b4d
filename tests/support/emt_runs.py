"""Learning runs on copper with EMT as the truth, for several tests."""

from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from lpsnmr.potential import BasisSettings

BASIS = BasisSettings(
    elements=("Cu",),
    body_order=2,
    two_body_start=1.2,
    two_body_cutoff=4.4,
    two_body_spacing=0.4,
)

PLAN = """
interval_ps = 0.2
stop_grade = 1e9
[[run]]
name = "cool"
structure = "{cell}"
stages = [[2, 200, 200]]
discard_ps = 0.5
[[run]]
name = "hot"
structure = "{cell}"
stages = [[2, 900, 1200]]
discard_ps = 0.5
"""


def labelled(count, width):
    frames = []
    for n in range(count):
        atoms = bulk("Cu", cubic=True) * (2, 2, 1)
        atoms.rattle(width, seed=n)
        atoms.calc = EMT()
        atoms.get_stress()
        results = {k: atoms.calc.results[k] for k in ("energy", "forces", "stress")}
        atoms.calc = SinglePointCalculator(atoms, **results)
        atoms.info = {"run": f"start{n % 3}", "run_step": n}
        frames.append(atoms)
    return frames
