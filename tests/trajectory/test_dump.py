"""The dump reader against an independent writer: any box, columns, order and cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpsnmr._core import DumpParser
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.dump import DumpReader
from support.dump_text import dump_text, simple_frames

CELLS = {
    "orthogonal": np.diag([7.0, 8.5, 9.25]),
    "restricted": np.array([[7.0, 0, 0], [-1.5, 8.5, 0], [2.25, -1.0, 9.25]]),
    "general": np.array([[6.0, 1.0, -0.5], [0.5, 8.5, 1.0], [2.25, -1.0, 9.25]]),
}


def read(path, **options):
    return list(DumpReader(path, **options))


@settings(max_examples=60, deadline=None)
@given(
    box=st.sampled_from(sorted(CELLS)),
    columns=st.sampled_from(["x", "xu", "xs", "xsu"]),
    extra=st.booleans(),
    n=st.integers(1, 9),
    cut=st.integers(1, 400),
    seed=st.integers(0, 2**31),
)
def test_round_trip(box, columns, extra, n, cut, seed):
    rng = np.random.default_rng(seed)
    cell, origin = CELLS[box], rng.normal(size=3)
    ids = np.sort(rng.choice(1000, n, replace=False)) + 1
    elements = rng.choice(["Li", "P", "S"], n)
    images = rng.integers(-3, 4, (n, 3))
    positions = (rng.uniform(size=(n, 3)) + images) @ cell + origin
    text = "".join(
        dump_text(
            step, cell, origin, ids, elements, positions, columns=columns, images=images, box=box,
            order=rng.permutation(n), extra=extra, time=0.5 * step,
        )
        for step in (3, 8)
    ).encode()  # fmt: skip
    parser = DumpParser()
    frames = []
    for begin in range(0, len(text), cut):
        parser.feed(text[begin : begin + cut])
        while (frame := parser.next()) is not None:
            frames.append(frame)
    assert not parser.pending
    assert [f[0] for f in frames] == [3, 8]
    assert [f[1] for f in frames] == [1.5, 4.0]
    names = np.array(parser.elements)
    for frame in frames:
        np.testing.assert_allclose(frame[2], cell, atol=1e-13)
        np.testing.assert_allclose(frame[3], origin, atol=1e-13)
        assert frame[4] == [True, True, box != "restricted"]
        np.testing.assert_array_equal(frame[5], ids)
        np.testing.assert_array_equal(names[frame[6]], elements)
        np.testing.assert_allclose(frame[8], positions, atol=1e-11)
        wrapped = positions - images @ cell if columns in {"x", "xs"} else positions
        np.testing.assert_allclose(frame[7], wrapped, atol=1e-11)


@settings(max_examples=300, deadline=None)
@given(
    value=st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.decimals(-10000, 10000, places=6).map(str),
        st.sampled_from(["-0", "0.", ".5", "1e-5", "+3.25", "-1.5E+03", "123456789012345678901"]),
    )
)
def test_numbers_are_those_of_python(value):
    text = value if isinstance(value, str) else repr(value)
    parser = DumpParser()
    parser.feed(
        b"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 1\n0 1\n0 1\n"
        b"ITEM: ATOMS id type xu yu zu\n1 1 " + text.encode() + b" 0 0\n"
    )
    assert parser.next()[7][0, 0] == float(text)


def test_reader_gives_frames(tmp_path):
    texts, positions = simple_frames(3)
    path = tmp_path / "dump"
    path.write_text("".join(texts))
    reader = DumpReader(path)
    frames = list(reader)
    assert reader.reason == "end of file"
    assert [f.step for f in frames] == [0, 10, 20]
    np.testing.assert_array_equal(frames[0].numbers, [3, 15, 16, 16])
    np.testing.assert_allclose([f.unwrapped for f in frames], positions, rtol=1e-15)
    assert frames[0].time_ps is None


def test_types_need_elements(tmp_path):
    path = tmp_path / "dump"
    path.write_text(dump_text(0, np.eye(3) * 9, np.zeros(3), [1, 2], None, np.ones((2, 3)), types=[2, 1]))
    with pytest.raises(FileFormatError, match="no column element"):
        read(path)
    with pytest.raises(FileFormatError, match="atom type 2"):
        read(path, elements=["Li"])
    np.testing.assert_array_equal(read(path, elements=["Li", "S"])[0].numbers, [16, 3])


def test_time_units(tmp_path):
    path = tmp_path / "dump"
    arguments = (0, np.eye(3) * 9, np.zeros(3), [1], ["Li"], np.ones((1, 3)))
    path.write_text(dump_text(*arguments, time=250.0, units="real"))
    assert read(path)[0].time_ps == pytest.approx(0.25)
    path.write_text(dump_text(*arguments, time=250.0, units="si"))
    with pytest.raises(FileFormatError, match="units 'si'"):
        read(path)


def test_wrapped_without_images_has_no_unwrapped(tmp_path):
    texts, _ = simple_frames(1)
    path = tmp_path / "dump"
    path.write_text(texts[0].replace("xu yu zu", "x y z"))
    assert read(path)[0].unwrapped is None


BREAKS = {
    "not a dump": (lambda t: "hello\nworld\n", "ITEM:"),
    "truncated": (lambda t: t[0] + t[1][:-20], "ends inside frame 2"),
    "truncated in the header": (lambda t: t[0] + "ITEM: TIMESTEP\n", "ends inside frame 2"),
    "no last newline": (lambda t: t[0] + t[1][:-1], "ends inside frame 2"),
    "lines lost": (lambda t: t[0] + "\n".join(t[1].split("\n")[:-2]) + "\n" + t[2], "begins after 3 of 4"),
    "atoms added": (lambda t: t[0].replace("ATOMS\n4", "ATOMS\n3") + t[1], "more atoms than it states"),
    "atom count changes": (
        lambda t: t[0] + "\n".join(t[1].split("\n")[:-2]).replace("ATOMS\n4", "ATOMS\n3") + "\n",
        "frame 2: 3 atoms, but the first frame has 4",
    ),
    "ids change": (lambda t: t[0] + t[1].replace("\n4 S", "\n5 S"), "ids are not those"),
    "id twice": (lambda t: t[0].replace("\n4 S", "\n3 S"), "atom id 3 twice"),
    "elements change": (lambda t: t[0] + t[1].replace("\n4 S", "\n4 P"), "elements are not those"),
    "unknown element": (lambda t: t[0].replace("\n4 S", "\n4 Qq"), "'Qq' is not an element"),
    "step repeated": (lambda t: t[0] + t[0], "step 0 after step 0"),
    "step backwards": (lambda t: t[1] + t[0], "step 0 after step 10"),
    "no id": (lambda t: t[0].replace("ATOMS id", "ATOMS index"), "no column id"),
    "no element": (lambda t: t[0].replace("element", "symbol"), "no column element or type"),
    "no coordinates": (lambda t: t[0].replace("xu", "vx"), "no coordinates"),
    "nan": (lambda t: t[0].replace("\n4 S ", "\n4 S nan "), "finite number, got \"nan\""),
    "word": (lambda t: t[0].replace("\n4 S ", "\n4 S 1.0x "), "got \"1.0x\""),
    "too few columns": (lambda t: t[0].replace("xu yu zu", "xu yu zu q"), "expected 6 columns, got 5"),
    "bad box": (lambda t: t[0].replace("0.0 8.0", "0.0 inf"), "BOX BOUNDS row 1"),
    "bad count": (lambda t: t[0].replace("ATOMS\n4", "ATOMS\n-4"), "number of atoms"),
    "bad step": (lambda t: t[0].replace("TIMESTEP\n0", "TIMESTEP\nx"), "time step"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_damaged_dump(tmp_path, name):
    change, words = BREAKS[name]
    path = tmp_path / "damaged"
    path.write_text(change(simple_frames(3)[0]))
    with pytest.raises(FileFormatError, match=words) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "binary"
    path.write_bytes(b"\xd3\xff\x00 junk\n" * 9)
    with pytest.raises(FileFormatError, match="ITEM:") as caught:
        read(path)
    assert "\\xd3" in str(caught.value)


def test_error_names_the_line(tmp_path):
    texts, _ = simple_frames(2)
    path = tmp_path / "damaged"
    path.write_text(texts[0] + texts[1].replace("\n3 S ", "\n3 S ? "))
    with pytest.raises(FileFormatError, match="line 25:"):
        read(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileFormatError, match="cannot open"):
        read(tmp_path / "absent")
    with pytest.raises(FileFormatError, match="folder"):
        read(tmp_path)


def test_parser_takes_contiguous_bytes_only():
    with pytest.raises(InputError, match="bytes"):
        DumpParser().feed(memoryview(b"IxTxExMx")[::2])
