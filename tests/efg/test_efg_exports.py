"""Files for soprano and mrsimulator, read by the real packages where they are installed."""

import json

import ase.io
import numpy as np
import pytest

from lpsnmr.efg.output import choose_nuclei, predict_frames, write_predictions
from lpsnmr.efg.tensors import principal_values, quadrupolar_coupling_hz
from lpsnmr.errors import InputError
from lpsnmr.units import EFG_AU_V_PER_ANGSTROM2
from support.efg_cases import random_atoms, random_model


@pytest.fixture
def predicted():
    model = random_model(targets=("Li", "S"))
    return model, predict_frames(model, [random_atoms(k, 12) for k in range(2)])


def expected_sites(predictions, nuclei):
    for p in predictions:
        v_zz, eta, _ = principal_values(p.tensors)
        for k, atom in enumerate(p.targets):
            nucleus = nuclei[p.atoms.symbols[atom]]
            yield nucleus, float(quadrupolar_coupling_hz(v_zz[k], nucleus)), eta[k]


def test_spin_systems_hold_every_target(tmp_path, predicted):
    model, predictions = predicted
    nuclei = choose_nuclei(model, ["6Li"])
    write_predictions(tmp_path / "a.mrsys", predictions, model, nuclei)
    systems = json.loads((tmp_path / "a.mrsys").read_text())
    expected = list(expected_sites(predictions, nuclei))
    assert len(systems) == len(expected)
    total = 0.0
    for system, (nucleus, cq, eta) in zip(systems, expected, strict=True):
        (site,) = system["sites"]
        value, unit = site["quadrupolar"]["Cq"].split()
        assert (site["isotope"], unit) == (nucleus, "Hz")
        assert float(value) == pytest.approx(cq, rel=1e-8)
        assert site["quadrupolar"]["eta"] == pytest.approx(eta)
        total += float(system["abundance"].split()[0])
    assert total == pytest.approx(100.0)
    assert {site[0] for site in expected} == {"6Li", "33S"}


def test_nuclei_are_checked(predicted):
    model, _ = predicted
    assert choose_nuclei(model) == {"Li": "7Li", "S": "33S"}
    with pytest.raises(InputError, match="the model predicts Li, S, not Na"):
        choose_nuclei(model, ["23Na"])
    with pytest.raises(InputError, match="unknown nucleus"):
        choose_nuclei(model, ["8Li"])


def test_mrsimulator_reads_the_spin_systems(tmp_path, predicted):
    mrsimulator = pytest.importorskip("mrsimulator")
    model, predictions = predicted
    nuclei = choose_nuclei(model)
    write_predictions(tmp_path / "a.mrsys", predictions, model, nuclei)
    simulator = mrsimulator.Simulator()
    simulator.load_spin_systems(str(tmp_path / "a.mrsys"))
    expected = list(expected_sites(predictions, nuclei))
    assert len(simulator.spin_systems) == len(expected)
    for system, (nucleus, cq, eta) in zip(simulator.spin_systems, expected, strict=True):
        assert system.sites[0].isotope.symbol == nucleus
        assert system.sites[0].quadrupolar.Cq == pytest.approx(cq, rel=1e-8)
        assert system.sites[0].quadrupolar.eta == pytest.approx(eta)


def test_soprano_reads_the_structures(tmp_path, predicted):
    nmr = pytest.importorskip("soprano.properties.nmr")
    model, predictions = predicted
    write_predictions(tmp_path / "a.extxyz", predictions, model, choose_nuclei(model))
    for atoms, p in zip(ase.io.read(tmp_path / "a.extxyz", index=":"), predictions, strict=True):
        v_zz, eta, _ = principal_values(p.tensors)
        found = nmr.EFGVzz.get(atoms)[p.targets] * EFG_AU_V_PER_ANGSTROM2
        np.testing.assert_allclose(found, v_zz, atol=2e-6)
        np.testing.assert_allclose(nmr.EFGAsymmetry.get(atoms)[p.targets], eta, atol=1e-4)
        lithium = p.atoms.numbers[p.targets] == 3
        cq = nmr.EFGQuadrupolarConstant(isotopes={"Li": 7}).get(atoms)[p.targets][lithium]
        ours = quadrupolar_coupling_hz(v_zz[lithium], "7Li")
        np.testing.assert_allclose(cq, ours, rtol=2e-3)  # a few ppm of Q and the digits of the file
