"""How far atoms are outside the training: against the covariance written out, and on bad files."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from lpsnmr import _core
from lpsnmr.errors import InputError
from lpsnmr.potential import (
    DataSet,
    DensityBlock,
    DensityChannel,
    Extrapolation,
    FitSettings,
    Layout,
    PriorSettings,
    fit_ufp,
    save_fit,
)
from lpsnmr.potential.certainty import element_certainty, site_rows
from lpsnmr.potential.prior import penalty
from lpsnmr.potential.rows import frame_rows, row_weights
from support.ufp_cases import SMALL, TRICLINIC, labelled, random_structure

ELEMENTS = ("Li", "P", "S")
PRIOR = PriorSettings(1.0, 0.3, 0.5, 0.3, density=0.5, anchor=1.0)
DENSITY = (
    DensityBlock("S", 34, (DensityChannel("P", 4.5, 2, 2, 1.2), DensityChannel("S", 5.5, 1, 1, 1.5))),
    DensityBlock("Li", 4, (DensityChannel("S", 4.0, 2, 0, 1.3),)),
    DensityBlock("S", 3, (DensityChannel("Li", 4.0, 1, 1, 1.3),)),  # an element may have several
)


class Flat:
    """Labels that do not matter here: the certainty depends on the structures alone."""

    def __init__(self, atoms):
        self.energy, self.forces, self.stress = -1.0, np.zeros((len(atoms), 3)), np.zeros(6)


@pytest.fixture(scope="module")
def frames():
    return [labelled(random_structure(s, least=1.3), Flat, f"r{s % 2}", 10 * s) for s in range(12)]


@pytest.fixture(scope="module", params=["pairs and triples", "density"])
def fitted(request, frames, small_basis, tmp_path_factory):
    density = DENSITY if request.param == "density" else ()
    settings = FitSettings(replace(small_basis, density=density), (PRIOR,), folds=0, monotone_core=False)
    data = [DataSet(frames)]
    result = fit_ufp(data, settings)
    path = tmp_path_factory.mktemp("ufx") / "p.uf3"
    written = save_fit(path, result, settings, data, [[]])
    assert [p.name for p in written] == ["p.uf3", *(["p.ufd"] if density else []), "p.ufx", "p.json"]
    return result, path.with_suffix(".ufx"), settings


@pytest.mark.parametrize("density", [(), DENSITY], ids=["pairs and triples", "density"])
@pytest.mark.parametrize(
    ("cell", "n", "pbc"), [(TRICLINIC, 12, True), (SMALL, 2, True), (TRICLINIC, 9, False)]
)
def test_site_features_add_up_to_the_energy(small_basis, cell, n, pbc, density):
    layout = Layout.from_settings(replace(small_basis, density=density))  # not calibrated: nothing fades
    atoms = random_structure(4, cell, n, 1.2, pbc=pbc)
    species, rows = site_rows(layout, atoms)
    place = (atoms.positions, atoms.cell.array, atoms.pbc.tolist(), species.tolist())
    np.testing.assert_allclose(rows.sum(0), layout.features(*place)[:, 0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("fitted", ["density"], indirect=True)
def test_density_features_do_not_fade(fitted):
    """More neighbours than in training: the terms of the potential are gone, the features are not."""
    layout = fitted[0].layout
    atoms = Atoms("SP40", np.zeros((41, 3)))
    height = np.linspace(-0.98, 0.98, 40)
    turn = np.pi * (1 + np.sqrt(5)) * np.arange(40)
    ring = np.sqrt(1 - height**2)
    atoms.positions[1:] = 2.4 * np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=1)
    species, rows = site_rows(layout, atoms)
    place = (atoms.positions, atoms.cell.array, atoms.pbc.tolist(), species.tolist())
    own = rows[:, layout.basis.columns :]
    faded = layout.density.basis.features(*place)[0][:, 0]
    assert np.abs(faded).max() < 0.5 * np.abs(own.sum(0)).max()
    free = Layout.from_settings(layout.settings).density.basis.features(*place)[0][:, 0]
    np.testing.assert_allclose(own.sum(0), free, rtol=1e-12, atol=1e-12)
    assert Extrapolation(fitted[1]).grade(atoms).max() > 3


def direct_deviations(result, settings, frames, atoms):
    """The definition: invert the whole matrix of the fit, no factor, no float32."""
    layout = result.layout
    columns = result.posterior.columns
    size = len(columns) + len(ELEMENTS)
    matrix = np.zeros((size, size))
    for frame in frames:
        rows = frame_rows(layout, frame, columns)
        weighted = rows.design * row_weights(rows.kind, settings.weights)
        matrix += weighted @ weighted.T
    matrix[: len(columns), : len(columns)] += penalty(layout, PRIOR)[columns][:, columns].toarray()
    matrix[len(columns) :, len(columns) :] += np.eye(3) / 10.0**2
    covariance = np.zeros((layout.columns, layout.columns))
    covariance[np.ix_(columns, columns)] = np.linalg.inv(matrix)[: len(columns), : len(columns)]
    untouched = np.setdiff1d(np.arange(layout.basis.columns), columns)
    covariance[untouched, untouched] = PRIOR.three_body_ridge**2

    training = [site_rows(layout, f) for f in frames]
    means = [np.concatenate([x[s == e] for s, x in training]).mean(0) for e in range(3)]

    def deviation(frame):
        species, x = site_rows(layout, frame)
        x = x - np.array(means)[species]
        return np.sqrt(np.einsum("nk,kl,nl->n", x, covariance, x)), species

    largest = [max(d[s == e].max() for d, s in map(deviation, frames)) for e in range(3)]
    values, species = deviation(atoms)
    return values, values / np.array(largest)[species]


@pytest.mark.parametrize("seed", [3, 100])
def test_grade_is_the_leverage(fitted, frames, seed):
    """In training and outside, with coefficients no frame has touched."""
    result, path, settings = fitted
    atoms = frames[seed] if seed < len(frames) else random_structure(seed, SMALL, 4, 1.1)
    found = Extrapolation(path).evaluate(atoms)
    deviation, grade = direct_deviations(result, settings, frames, atoms)
    np.testing.assert_allclose(found.deviation, deviation, rtol=2e-5)  # float32 factor
    np.testing.assert_allclose(found.grade, grade, rtol=2e-5)
    if seed == 100:
        columns = result.posterior.columns
        rows = site_rows(result.layout, atoms)[1]
        assert np.delete(rows, columns, axis=1).max() > 0.01  # the case is what it says it is


def test_core_is_numpy_on_the_same_factor(fitted, frames):
    result, path, _ = fitted
    certainty = element_certainty(result.layout, result.posterior, PRIOR.three_body_ridge, frames)
    extrapolation = Extrapolation(path)
    for atoms in (frames[0], random_structure(50, SMALL, 5, 0.9)):
        species, rows = site_rows(result.layout, atoms)
        found = extrapolation.evaluate(atoms).deviation
        for number, part in enumerate(certainty):
            here = species == number
            np.testing.assert_allclose(found[here], part.deviations(rows[here]), rtol=1e-11)


def test_training_has_grades_up_to_one_and_no_excess(fitted, frames):
    extrapolation = Extrapolation(fitted[1])
    found = [extrapolation.evaluate(f) for f in frames]
    assert all((f.distance_excess == 0).all() for f in found)
    for element in ELEMENTS:
        grades = [g.grade[f.symbols == element] for g, f in zip(found, frames, strict=True)]
        assert np.concatenate(grades).max() == pytest.approx(1.0, rel=1e-6)
    assert extrapolation.largest_grades(frames) == pytest.approx([f.grade.max() for f in found])
    dense = random_structure(60, SMALL, 5, 1.3)
    assert extrapolation.grade(dense).min() > 1.0


def test_atoms_in_one_place_have_a_grade(fitted):
    atoms = Atoms("SPS", [[0, 0, 0], [0, 0, 0], [2, 0, 0]])
    found = Extrapolation(fitted[1]).evaluate(atoms)
    assert np.isfinite(found.grade).all()
    assert found.distance_excess[:2].min() > 1.0


def test_distance_excess(fitted, frames):
    result, path, _ = fitted
    extrapolation = Extrapolation(path)
    shortest = extrapolation.shortest_distances
    assert list(shortest.values()) == pytest.approx(result.shortest.tolist())
    pair = frames[0][:2].copy()
    pair.symbols[:] = ["P", "S"]
    pair.pbc = False
    pair.positions[1] = pair.positions[0] + [0, 0, shortest["P", "S"] - 0.25]
    np.testing.assert_allclose(extrapolation.evaluate(pair).distance_excess, 0.25, rtol=1e-9)
    pair.positions[1] = pair.positions[0] + [0, 0, shortest["P", "S"] + 0.01]
    assert extrapolation.evaluate(pair).distance_excess.tolist() == [0, 0]


def test_the_file_names_its_potential(fitted):
    _, path, _ = fitted
    potential = path.with_suffix(".uf3").read_bytes()
    assert Extrapolation(path).potential_sha256 == hashlib.sha256(potential).hexdigest()
    for text in (b"", b"abc", b"x" * 55, b"x" * 56, b"\0" * 64, potential):
        assert _core.sha256(text) == hashlib.sha256(text).hexdigest()


def test_without_extrapolation_an_old_file_goes(fitted, frames, tmp_path):
    result, _, settings = fitted
    (tmp_path / "p.ufx").write_text("of an earlier fit")
    written = save_fit(tmp_path / "p.uf3", result, settings, [DataSet(frames)], [[]], extrapolation=False)
    density = ["p.ufd"] if result.layout.density else []
    assert [p.name for p in written] == ["p.uf3", *density, "p.json"]
    assert not (tmp_path / "p.ufx").exists()


def test_unknown_element(fitted, frames):
    alien = frames[0].copy()
    alien.symbols[0] = "Na"
    with pytest.raises(InputError, match="element Na is not in the potential; it has: Li P S"):
        Extrapolation(fitted[1]).grade(alien)


def put(*path, value):
    def change(header):
        for key in path[:-1]:
            header = header[key]
        header[path[-1]] = value

    return change


HEADERS = {
    "format": (put("format", value="x"), 'expected "format": "lpsnmr-ufx"'),
    "version": (put("version", value=1), "extrapolation file version 1; this lpsnmr reads 2"),
    "units": (put("units", value="Ha"), "units: expected eV, Å, got Ha"),
    "hash": (put("potential", "sha256", value="12"), "64 hexadecimal digits"),
    "twice": (put("elements", value=["Li", "Li", "S"]), 'element "Li" is given twice'),
    "element": (put("pairs", 0, "elements", 0, value="X"), 'element "X" is not among'),
    "pair": (put("pairs", 0, "elements", value=["S", "S"]), "is given twice"),
    "shortest": (put("pairs", 0, "shortest", value=-1), "shortest: expected a positive number"),
    "knots": (put("pairs", 0, "knots", value=[1, 2]), "knots: "),
    "huge": (put("triples", 0, "knots", value=[[*range(400)]] * 3), "more coefficients than any potential"),
    "far": (put("pairs", 0, "shortest", value=50), "shortest: expected a distance up to the last knot"),
    "density": (put("density", value=1), "density: expected a list, got a number"),
    "columns": (put("certainty", 0, "columns", 0, value=10**5), "columns: expected ascending numbers"),
    "deviation": (
        put("certainty", 0, "largest_deviation", value=0),
        "largest_deviation: expected a positive",
    ),
    "order": (put("certainty", 0, "element", value="S"), "expected the element Li, got S"),
    "missing": (put("certainty", value=[]), "certainty: expected 3 entries, got 0"),
}


DENSITY_HEADERS = {
    "center": (put("density", 0, "center", value="Na"), "no element 'Na'"),
    "orders": (put("density", 0, "orders", value=5), "orders: expected 3, 4 or 34, got 5"),
    "channels": (put("density", 0, "channels", value=[]), "channels: expected 1 to 3, got 0"),
    "l": (put("density", 0, "channels", 0, "highest_l", value=3), "highest_l: expected 0, 1 or 2, got 3"),
    "cutoff": (put("density", 0, "channels", 0, "cutoff", value=0.1), "cutoff: expected one beyond start"),
    "start": (put("density", 0, "channels", 0, "start", value=0), "start: expected a positive number"),
    "intervals": (put("density", 0, "channels", 0, "intervals", value=3), "intervals: expected 4 to 1000"),
    "functions": (
        put("density", 0, "channels", 0, "functions", value=[]),
        "functions: expected 1 to 8, got 0",
    ),
    "short": (put("density", 0, "channels", 0, "functions", 0, value=[1]), "expected intervals - 3 coeff"),
    "channel twice": (put("density", 0, "channels", 1, "element", value="P"), "channels: P is given twice"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_bad_header(case, fitted, tmp_path):
    refuse_header(*HEADERS[case], fitted, tmp_path)


@pytest.mark.parametrize("fitted", ["density"], indirect=True)
@pytest.mark.parametrize("case", DENSITY_HEADERS)
def test_bad_density_header(case, fitted, tmp_path):
    refuse_header(*DENSITY_HEADERS[case], fitted, tmp_path)


def refuse_header(change, words, fitted, tmp_path):
    """Check that a file with a changed header is refused with these words."""
    line, rest = fitted[1].read_bytes().split(b"\n", 1)
    header = json.loads(line)
    change(header)
    path = tmp_path / "bad.ufx"
    path.write_bytes(json.dumps(header, ensure_ascii=False).encode() + b"\n" + rest)
    with pytest.raises(InputError, match=r"bad\.ufx") as caught:
        Extrapolation(path)
    assert words in str(caught.value)


def test_bad_numbers(fitted, tmp_path):
    whole = fitted[1].read_bytes()
    end = whole.index(b"\n") + 1
    nan = np.array([np.nan], dtype="<f4").tobytes()
    path = tmp_path / "bad.ufx"
    for text, words in (
        (whole[:-1], "is the file cut short?"),
        (whole + b"\0", "bytes behind the header"),
        (whole[: end - 1], "bytes behind the header, got 0"),
        (whole[:end] + nan + whole[end + 4 :], "a number of element Li is not finite"),
        (whole[:end] + bytes(4) + whole[end + 4 :], "row 0, is not that of a covariance"),
        (b"", "expected a value, but the text ends"),
    ):
        path.write_bytes(text)
        with pytest.raises(InputError, match=r"bad\.ufx") as caught:
            Extrapolation(path)
        assert words in str(caught.value)
    with pytest.raises(InputError, match="cannot open extrapolation file"):
        Extrapolation(tmp_path / "absent.ufx")
