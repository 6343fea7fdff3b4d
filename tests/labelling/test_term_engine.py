"""Dispersion corrections: those of the packages, derivatives of one another, and told when not there."""

import hashlib
import sys
from importlib.resources import files

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator

from lpsnmr.errors import InputError
from lpsnmr.labelling import EngineChoice
from lpsnmr.labelling.term_engine import TERMS, TermEngine
from lpsnmr.potential import Ufp
from lpsnmr.reference import read_reference
from lpsnmr.reference.terms import term_of
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

SHIPPED = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe.extxyz"
NAMES = [name for name, model in TERMS.items() if model.package]
FITTED = [name for name, model in TERMS.items() if not model.package]


def of_package(name: str, functional: str) -> Calculator:
    """Return the calculator of the package with the damping of its own table."""
    if name == "d4":
        from dftd4.ase import DFTD4

        return DFTD4(method=functional)
    from dftd3.ase import DFTD3

    return DFTD3(method=functional, damping="d3bj")


def thiophosphate(seed: int = 0) -> Atoms:
    """Return a small oblique cell of Li, P and S."""
    cell = [[5.2, 0.1, 0.2], [0.3, 5.0, -0.1], [-0.2, 0.2, 5.4]]
    places = [[0, 0, 0], [0.5, 0.45, 0.5], [0.5, 0.1, 0.7], [0.8, 0.6, 0.4]]
    atoms = Atoms("LiPS2", scaled_positions=places, cell=cell, pbc=True)
    atoms.rattle(0.05, seed=seed)
    return atoms


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [0, 60])
def test_shipped_terms_are_those_of_the_package(name, number):
    """Two frames of two crystals; the package looks its parameters up by the name of the functional."""
    frame = read_reference(str(SHIPPED))[number]
    term = term_of(frame, name)
    atoms = Atoms(
        frame.numbers, frame.positions, cell=frame.cell, pbc=True, calculator=of_package(name, "pbe")
    )
    assert term.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    assert np.allclose(term.forces, atoms.get_forces(), atol=2e-8)  # columns have eight decimals
    assert np.allclose(term.stress, atoms.get_stress(), atol=1e-11)


@pytest.mark.parametrize("functional", ["PBE", "PBEsol"])
@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_those_of_the_package(name, functional):
    atoms = thiophosphate()
    found = TermEngine(name, functional).label(atoms, "")
    atoms.calc = of_package(name, functional.lower())
    assert found.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    assert found.energy < 0


@pytest.mark.parametrize("name", NAMES)
def test_forces_and_stress_are_derivatives_of_the_energy(name):
    """Central differences; the packages cut sums off sharply, which leaves up to 5e-5 eV/Å.

    One engine for all, which must not keep anything of the frame before.
    """
    engine, atoms, step = TermEngine(name), thiophosphate(), 5e-3
    labels = engine.label(atoms, "")

    def energy(change) -> float:
        other = atoms.copy()
        change(other)
        return engine.label(other, "").energy

    for atom, axis in [(0, 0), (1, 2), (3, 1)]:

        def moved(other, sign, atom=atom, axis=axis):
            other.positions[atom, axis] += sign * step

        slope = (energy(lambda o: moved(o, 1)) - energy(lambda o: moved(o, -1))) / (2 * step)
        assert labels.forces[atom, axis] == pytest.approx(-slope, abs=1e-4, rel=1e-3)
    for index, (i, j) in {0: (0, 0), 2: (2, 2), 3: (1, 2), 5: (0, 1)}.items():

        def strained(other, sign, i=i, j=j):
            strain = np.eye(3)
            strain[i, j] += sign * step / 2
            strain[j, i] += sign * step / 2
            other.set_cell(other.cell.array @ strain, scale_atoms=True)

        change = energy(lambda o: strained(o, 1)) - energy(lambda o: strained(o, -1))
        slope = change / (2 * step) / atoms.get_volume()
        assert labels.stress[index] == pytest.approx(slope, abs=1e-5, rel=2e-3)
    assert np.allclose(labels.forces.sum(axis=0), 0, atol=1e-9)


def test_the_record_says_what_a_correction_depends_on():
    record = TermEngine("d4").provenance()
    assert record["functional"] == "PBE"
    assert record["dftd4"][0].isdigit()
    assert record["options"]["params_tweaks"]["s9"] == 1.0
    assert record["doi"] == "10.1063/1.5090222"
    assert TermEngine("d3bj", "PBEsol").provenance() != TermEngine("d3bj").provenance()


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_package_is_named_with_its_remedy(name, monkeypatch):
    package = TERMS[name].package
    monkeypatch.setitem(sys.modules, package, None)  # as the import system says that there is none
    with pytest.raises(InputError, match=rf"^{name}: the package {package} .* 'pip install {package}' or"):
        TermEngine(name)


def test_what_has_no_parameters_is_refused():
    with pytest.raises(InputError, match=r"d4: expected a functional .*\(PBE, PBEsol\), got 'LDA'"):
        EngineChoice("d4", {"functional": "LDA"}).open()
    with pytest.raises(InputError, match="no option but functional, got damping"):
        EngineChoice("d4", {"damping": 1}).open()


@pytest.mark.parametrize("name", FITTED)
def test_fitted_terms_are_those_of_their_potential(name):
    """Made for PBE alone; the label names the file by its contents."""
    engine, atoms = TermEngine(name), read_reference(str(SHIPPED))[5]
    path = files("lpsnmr.data") / "terms" / f"{name}.uf3"
    labels, expected = engine.label(atoms, ""), Ufp(str(path)).predict(atoms)
    assert labels.energy == expected.energy
    assert np.array_equal(labels.forces, expected.forces)
    assert np.array_equal(labels.stress, expected.stress)
    assert engine.name == f"{name}-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}:PBE"
    with pytest.raises(InputError, match=rf"{name}: expected a functional .*\(PBE\), got 'PBEsol'"):
        TermEngine(name, "PBEsol")


def test_smooth_d4_is_d4_but_for_its_steps():
    """In frames without a Li past a step both agree; where one is, D4 alone has a steep force."""
    frames = {(f.info["run"], int(f.info["run_step"])): f for f in read_reference(str(SHIPPED))}
    engine = TermEngine("d4smooth")
    calm, other = frames["b32_300", 150], frames["b32_300", 650]
    steep = frames["b32_900", 800]
    ours, theirs = [engine.label(f, "") for f in (calm, other)], [term_of(f, "d4") for f in (calm, other)]
    for a, b in zip(ours, theirs, strict=True):
        assert np.sqrt(np.mean((a.forces - b.forces) ** 2)) < 0.02
        assert np.abs(a.stress - b.stress).max() < 0.15 / EV_PER_ANGSTROM3_GPA
    difference = (ours[0].energy - ours[1].energy) - (theirs[0].energy - theirs[1].energy)
    assert abs(difference) / len(calm) < 1e-3
    assert np.abs(term_of(steep, "d4").forces).max() > 1.5
    assert np.abs(engine.label(steep, "").forces).max() < 0.1
