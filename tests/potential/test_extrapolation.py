"""How far atoms are outside the training: against the covariance written out, and on bad files."""

import hashlib
import json

import numpy as np
import pytest

from lpsnmr import _core
from lpsnmr.errors import InputError
from lpsnmr.potential import DataSet, Extrapolation, FitSettings, PriorSettings, fit_ufp, save_fit
from lpsnmr.potential.certainty import element_certainty
from lpsnmr.potential.normal import frame_rows, row_weights
from lpsnmr.potential.prior import penalty
from ufp_cases import SMALL, TRICLINIC, labelled, random_structure

ELEMENTS = ("Li", "P", "S")
PRIOR = PriorSettings(1.0, 0.3, 0.5, 0.3)


class Flat:
    """Labels that do not matter here: the certainty depends on the structures alone."""

    def __init__(self, atoms):
        self.energy, self.forces, self.stress = -1.0, np.zeros((len(atoms), 3)), np.zeros(6)


@pytest.fixture(scope="module")
def frames():
    return [labelled(random_structure(s, least=1.3), Flat, f"r{s % 2}", 10 * s) for s in range(12)]


@pytest.fixture(scope="module")
def fitted(frames, small_basis, tmp_path_factory):
    settings = FitSettings(small_basis, (PRIOR,), folds=0, monotone_core=False)
    data = [DataSet(frames)]
    result = fit_ufp(data, settings)
    path = tmp_path_factory.mktemp("ufx") / "p.uf3"
    written = save_fit(path, result, settings, data, [[]])
    assert [p.name for p in written] == ["p.uf3", "p.ufx", "p.json"]
    return result, path.with_suffix(".ufx"), settings


@pytest.mark.parametrize(
    ("cell", "n", "pbc"), [(TRICLINIC, 12, True), (SMALL, 2, True), (TRICLINIC, 9, False)]
)
def test_site_features_add_up_to_the_energy(small_basis, cell, n, pbc):
    from lpsnmr.potential import Layout

    layout = Layout.from_settings(small_basis)
    atoms = random_structure(4, cell, n, 1.2, pbc=pbc)
    arguments = (atoms.positions, atoms.cell.array, atoms.pbc.tolist(), layout.species(atoms.symbols))
    rows = _core.site_features(layout.basis, *arguments)
    np.testing.assert_allclose(rows.sum(0), layout.basis.features(*arguments)[:, 0], rtol=1e-12, atol=1e-12)


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
    untouched = np.setdiff1d(np.arange(layout.columns), columns)
    covariance[untouched, untouched] = PRIOR.three_body_ridge**2

    def sites(frame):
        species = np.array(layout.species(frame.get_chemical_symbols()))
        cell, pbc = frame.cell.array, frame.pbc.tolist()
        return species, _core.site_features(layout.basis, frame.positions, cell, pbc, species.tolist())

    training = [sites(f) for f in frames]
    means = [np.concatenate([x[s == e] for s, x in training]).mean(0) for e in range(3)]

    def deviation(frame):
        species, x = sites(frame)
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
        species = result.layout.species(atoms.get_chemical_symbols())
        rows = _core.site_features(
            result.layout.basis, atoms.positions, atoms.cell.array, atoms.pbc.tolist(), species
        )
        assert np.delete(rows, columns, axis=1).max() > 0.01  # the case is what it says it is


def test_core_is_numpy_on_the_same_factor(fitted, frames):
    result, path, _ = fitted
    certainty = element_certainty(result.layout, result.posterior, PRIOR.three_body_ridge, frames)
    extrapolation = Extrapolation(path)
    for atoms in (frames[0], random_structure(50, SMALL, 5, 0.9)):
        species = np.array(result.layout.species(atoms.get_chemical_symbols()))
        cell, pbc = atoms.cell.array, atoms.pbc.tolist()
        rows = _core.site_features(result.layout.basis, atoms.positions, cell, pbc, species.tolist())
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
    assert [p.name for p in written] == ["p.uf3", "p.json"]
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
    "version": (put("version", value=2), "extrapolation file version 2; this lpsnmr reads 1"),
    "units": (put("units", value="Ha"), "units: expected eV, Å, got Ha"),
    "hash": (put("potential", "sha256", value="12"), "64 hexadecimal digits"),
    "twice": (put("elements", value=["Li", "Li", "S"]), 'element "Li" is given twice'),
    "element": (put("pairs", 0, "elements", 0, value="X"), 'element "X" is not among'),
    "pair": (put("pairs", 0, "elements", value=["S", "S"]), "is given twice"),
    "shortest": (put("pairs", 0, "shortest", value=-1), "shortest: expected a positive number"),
    "knots": (put("pairs", 0, "knots", value=[1, 2]), "knots: "),
    "huge": (put("triples", 0, "knots", value=[[*range(400)]] * 3), "more coefficients than any potential"),
    "columns": (put("certainty", 0, "columns", 0, value=10**5), "columns: expected ascending numbers"),
    "deviation": (
        put("certainty", 0, "largest_deviation", value=0),
        "largest_deviation: expected a positive",
    ),
    "order": (put("certainty", 0, "element", value="S"), "expected the element Li, got S"),
    "missing": (put("certainty", value=[]), "certainty: expected 3 entries, got 0"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_bad_header(case, fitted, tmp_path):
    change, words = HEADERS[case]
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
