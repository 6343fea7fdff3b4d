"""Labels as other programs and other hands write them: keys, units, virials, tensors, NaN, and damage."""

import random
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import voigt_6_to_full_3x3_stress

from lpsnmr.cli.main import group
from lpsnmr.efg.dataset import build_data
from lpsnmr.efg.settings import EfgSettings
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.reference import read_reference
from lpsnmr.reference.label_keys import LabelKeys, gather_labels
from lpsnmr.units import EFG_UNITS, HARTREE_EV
from support.damage import damaged, is_refused
from support.program_outputs import castep, magres, outcar

DATA = Path(__file__).parent / "data"
BASIC = ("energy", "forces", "stress")
REF = LabelKeys(energy="REF_energy", forces="REF_forces", stress="REF_stress")


def random_frame(seed=0, n=5):
    rng = np.random.default_rng(seed)
    frame = ase.Atoms(
        (["Li", "P", "S", "S", "Li"] * n)[:n],
        scaled_positions=rng.uniform(size=(n, 3)),
        cell=np.diag([7.0, 8, 9]) + rng.normal(scale=0.3, size=(3, 3)),
        pbc=True,
    )
    frame = frame[np.argsort([str(s) for s in frame.symbols], kind="stable")]
    frame.calc = SinglePointCalculator(
        frame, energy=rng.normal(), forces=rng.normal(size=(n, 3)), stress=rng.normal(scale=0.05, size=6)
    )
    return frame


def random_tensors(seed, n=5):
    a = np.random.default_rng(seed).normal(scale=0.01, size=(n, 3, 3))
    a = a + a.swapaxes(1, 2)
    return a - np.trace(a, axis1=1, axis2=2)[:, None, None] * np.eye(3) / 3


def same_labels(found, expected, atol=1e-6):
    np.testing.assert_array_equal(found.numbers, expected.numbers)
    np.testing.assert_allclose(found.positions, expected.positions, atol=1e-5)
    for label in BASIC:
        np.testing.assert_allclose(found.calc.results[label], expected.calc.results[label], atol=atol)


def test_the_same_stress_in_three_spellings():
    """A virial, six Voigt numbers, and keys of other programs: sign and volume right in each."""
    virial = read_reference(DATA / "virial.extxyz", BASIC)
    voigt = read_reference(DATA / "voigt6.extxyz", BASIC)
    keyed = read_reference(DATA / "ref_keys.extxyz", BASIC, keys=REF)
    assert len(virial) == len(voigt) == len(keyed) == 2
    for a, b, c in zip(virial, voigt, keyed, strict=True):
        same_labels(a, b)
        same_labels(c, b)
    first = virial[0].calc.results
    np.testing.assert_allclose(first["stress"][[0, 3, 5]], [-0.0342856, 0.0091996, -0.0084233], atol=1e-6)
    assert first["energy"] == pytest.approx(-23.855575)


def test_other_keys_are_named_when_labels_are_missing():
    with pytest.raises(FileFormatError, match=r"frame 0: no 'energy'.*--energy-key.*REF_energy, REF_stress"):
        read_reference(DATA / "ref_keys.extxyz", BASIC)
    with pytest.raises(FileFormatError, match=r"no 'REF_virial'; there are .*REF_forces"):
        read_reference(DATA / "ref_keys.extxyz", (), keys=LabelKeys(virial="REF_virial"))


@pytest.mark.parametrize("shape", [(3, 3), (9,), (6,)])
@pytest.mark.parametrize("name", ["stress", "virial", "dft_virial", "my_stress"])
def test_stress_and_virial_of_any_shape(tmp_path, name, shape):
    frame = random_frame(3)
    stress = frame.calc.results.pop("stress")
    value = stress * (-frame.cell.volume if "virial" in name else 1.0)
    if shape != (6,):
        value = voigt_6_to_full_3x3_stress(value).reshape(shape)
    path = tmp_path / "a.extxyz"
    text = f'{name}="{" ".join(map(repr, np.ravel(value).tolist()))}"'
    ase.io.write(path, frame, format="extxyz")
    lines = path.read_text().split("\n")
    lines[1] += " " + text
    path.write_text("\n".join(lines))
    chosen = {"virial": {}, "stress": {}, "dft_virial": {"virial": name}, "my_stress": {"stress": name}}[name]
    [found] = read_reference(path, BASIC, keys=LabelKeys(**chosen))
    np.testing.assert_allclose(found.calc.results["stress"], stress, atol=1e-8)


def test_stress_and_virial_that_contradict(tmp_path):
    frame = random_frame(3)
    frame.info["virial"] = voigt_6_to_full_3x3_stress(frame.calc.results["stress"]) * frame.cell.volume
    ase.io.write(tmp_path / "a.extxyz", frame, format="extxyz")
    with pytest.raises(FileFormatError, match=r"stress and virial disagree: expected virial = −V·stress"):
        read_reference(tmp_path / "a.extxyz", BASIC)
    [found] = read_reference(tmp_path / "a.extxyz", BASIC, keys=LabelKeys(stress="stress"))
    same_labels(found, frame)
    with pytest.raises(InputError, match="key of the stress or of the virial, got both"):
        LabelKeys(stress="a", virial="b")


def test_units_in_the_header_or_by_option(tmp_path):
    frame = random_frame(4)
    bare = frame.copy()
    given = {
        "energy": frame.calc.results["energy"] / HARTREE_EV,
        "forces": frame.calc.results["forces"] / (HARTREE_EV / 0.529177210903),
        "stress": frame.calc.results["stress"] * -160.21766208,
    }
    bare.calc = SinglePointCalculator(bare, **given)
    path = tmp_path / "a.extxyz"
    ase.io.write(path, bare, format="extxyz")
    units = {"energy_unit": "Ha", "forces_unit": "Ha/bohr", "stress_unit": "-GPa"}
    [found] = read_reference(path, BASIC, keys=LabelKeys(**units))
    same_labels(found, frame)
    bare.info.update(units)
    ase.io.write(path, bare, format="extxyz")
    [found] = read_reference(path, BASIC)
    same_labels(found, frame)
    with pytest.raises(FileFormatError, match="energy_unit is Ha in the header, but Ry was asked for"):
        read_reference(path, BASIC, keys=LabelKeys(energy_unit="Ry"))
    bare.info["stress_unit"] = "bar"
    ase.io.write(path, bare, format="extxyz")
    with pytest.raises(FileFormatError, match="stress_unit 'bar' in the header; expected one of eV/A"):
        read_reference(path, BASIC)
    with pytest.raises(InputError, match="energy unit 'kJ'; expected one of eV, Ha"):
        LabelKeys(energy_unit="kJ")


@pytest.mark.parametrize("unit", list(EFG_UNITS))
def test_tensors_come_in_the_unit_asked_for(tmp_path, unit):
    frame, tensors = random_frame(5), random_tensors(5)
    frame.new_array("efg", tensors.reshape(-1, 9) / EFG_UNITS[unit] * EFG_UNITS["au"])
    frame.info["efg_unit"] = unit
    ase.io.write(tmp_path / "a.extxyz", frame, format="extxyz")
    for asked in EFG_UNITS:
        [found] = read_reference(tmp_path / "a.extxyz", ("efg",), keys=LabelKeys(efg_unit=asked))
        in_au = found.arrays["efg"] * EFG_UNITS[asked] / EFG_UNITS["au"]
        np.testing.assert_allclose(in_au, tensors.reshape(-1, 9), atol=1e-7)


def test_three_by_three_tensors_and_another_key(tmp_path):
    """Tensors as other tools hold them, (n, 3, 3), some of them missing; labels of an ASE trajectory."""
    frame, tensors = random_frame(5), random_tensors(5)
    frame.new_array("V", tensors)
    frame.info["source"] = "a: frame 0"
    gather_labels(frame, LabelKeys(efg="V"))
    np.testing.assert_array_equal(frame.arrays["efg"], tensors.reshape(-1, 9))
    some = np.array([tensors[0], None, tensors[2], None, None], dtype=object)
    del frame.arrays["efg"]
    frame.arrays["V"] = some
    gather_labels(frame, LabelKeys(efg="V"))
    np.testing.assert_array_equal(np.isnan(frame.arrays["efg"]).all(axis=1), [False, True, False, True, True])
    ase.io.write(tmp_path / "a.traj", random_frame(5))
    [found] = read_reference(tmp_path / "a.traj", BASIC)
    same_labels(found, frame)
    assert found.info["run"] == "a"


LABELS_ALL = (*BASIC, "efg")


def test_atoms_that_are_no_target_may_have_no_tensor(tmp_path):
    frame, tensors = random_frame(6), random_tensors(6).reshape(-1, 9)
    tensors[frame.numbers != 3] = np.nan
    frame.new_array("efg", tensors)
    path = tmp_path / "a.extxyz"
    ase.io.write(path, frame, format="extxyz")
    [found] = read_reference(path, ("efg",))
    settings = EfgSettings(species=(3, 15, 16))
    data = build_data([found], settings)
    assert np.isfinite(data.components).all()
    assert len(data.frame) == 2
    with pytest.raises(InputError, match=r"frame 0: 2 of 2 target atoms have no efg tensor"):
        build_data([found], settings, target="S")
    tensors[0, 3] = np.nan
    frame.arrays["efg"] = tensors
    ase.io.write(path, frame, format="extxyz")
    with pytest.raises(FileFormatError, match="efg has entries that are not finite"):
        read_reference(path, ("efg",))
    frame.arrays["efg"][:] = np.nan
    ase.io.write(path, frame, format="extxyz")
    with pytest.raises(FileFormatError, match="efg has entries that are not finite"):
        read_reference(path, ("efg",))


def test_outcar(tmp_path):
    """Energies, forces, stress of each ionic step, and the tensors that LEFG prints, in V/Å²."""
    frames = [random_frame(seed) for seed in (1, 2, 3)]
    efg = np.array([random_tensors(seed) for seed in (1, 2, 3)]) * EFG_UNITS["au"]
    (tmp_path / "md-700K").mkdir()
    path = tmp_path / "md-700K" / "OUTCAR"
    path.write_text(outcar(frames, efg))
    found = read_reference(path, LABELS_ALL)
    assert len(found) == 3
    for k, (a, b) in enumerate(zip(found, frames, strict=True)):
        same_labels(a, b)
        np.testing.assert_allclose(a.arrays["efg"] * EFG_UNITS["au"], efg[k].reshape(-1, 9), atol=1e-5)
        assert a.info["run"] == "md-700K"
        assert a.info["source"] == f"{path}: frame {k}"
    path.write_text(outcar(frames))
    with pytest.raises(FileFormatError, match=r"OUTCAR: frame 0: no 'efg'"):
        read_reference(path, LABELS_ALL)
    path.write_text(outcar(frames, [*efg[:2].tolist(), []]))
    with pytest.raises(FileFormatError, match=r"OUTCAR: .*a table of 0 electric field gradients, expected 5"):
        read_reference(path)


@pytest.mark.parametrize("program", ["CASTEP", "QE-GIPAW"])
def test_magres(tmp_path, program):
    frame, tensors = random_frame(7), random_tensors(7)
    path = tmp_path / "li3ps4.magres"
    path.write_text(magres(frame, tensors, program))
    [found] = read_reference(path, ("efg",))
    np.testing.assert_allclose(found.arrays["efg"], tensors.reshape(-1, 9), atol=1e-9)
    np.testing.assert_array_equal(found.numbers, frame.numbers)
    assert found.info["run"] == "li3ps4"
    [volts] = read_reference(path, ("efg",), keys=LabelKeys(efg_unit="V/A^2"))
    np.testing.assert_allclose(volts.arrays["efg"], tensors.reshape(-1, 9) * EFG_UNITS["au"], atol=1e-7)


def test_castep(tmp_path):
    frame = random_frame(8)
    path = tmp_path / "cell.castep"
    path.write_text(castep(frame))
    [found] = read_reference(path, BASIC)
    same_labels(found, frame)


def test_missing_and_unreadable_files(tmp_path):
    for name, text in (("a.magres", "no magres at all"), ("b.castep", "nothing"), ("OUTCAR", "vasp\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(FileFormatError, match=rf"{name}: "):
            read_reference(tmp_path / name)


def test_damaged_label_files_by_the_thousand(tmp_path):
    frames = [random_frame(seed) for seed in (1, 2)]
    tensors = random_tensors(1)
    frames[0].new_array("efg", tensors.reshape(-1, 9))
    good = {
        "a.extxyz": (DATA / "virial.extxyz").read_bytes(),
        "b.extxyz": (DATA / "voigt6.extxyz").read_bytes()[:4000],
        "a.magres": magres(frames[0], tensors).encode(),
        "OUTCAR": outcar(frames, [tensors, tensors]).encode(),
        "a.castep": castep(frames[0]).encode(),
    }
    ase.io.write(tmp_path / "good.traj", frames[0])
    good["a.traj"] = (tmp_path / "good.traj").read_bytes()
    rng, refused = random.Random(5), dict.fromkeys(good, 0)
    for k in range(1200):
        name = list(good)[k % len(good)]
        (tmp_path / name).write_bytes(damaged(rng, good[name]))
        refused[name] += is_refused(lambda path: read_reference(path, ("energy",)), tmp_path / name)
    assert min(refused.values()) > 20


def test_fit_efg_reads_magres_and_tells_what_looks_odd(tmp_path, capsys):
    from lpsnmr.cli.fit_efg import command

    for k in range(3):
        (tmp_path / f"{k}.magres").write_text(magres(random_frame(k), random_tensors(k)))
    files = [str(tmp_path / f"{k}.magres") for k in range(3)]
    command.main([*files, "-o", str(tmp_path / "a.efg"), "--pair", "3", "5"], standalone_mode=False)
    assert (tmp_path / "a.efg").exists()
    assert "fit-efg" in group.list_commands(None)
    assert "|C_Q| of 7Li" not in capsys.readouterr().err
