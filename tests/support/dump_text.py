"""A slow, independent writer of LAMMPS dumps: the oracle of the reader's tests."""

import numpy as np


def bounding_box(cell, origin):
    xy, xz, yz = cell[1, 0], cell[2, 0], cell[2, 1]
    low = origin + np.array([min(0, xy, xz, xy + xz), min(0, yz), 0])
    high = origin + np.diag(cell) + np.array([max(0, xy, xz, xy + xz), max(0, yz), 0])
    return low, high


def dump_text(
    step, cell, origin, ids, elements, positions, *, columns="xu", images=None, box="orthogonal", order=None,
    time=None, units=None, extra=False, types=None,
):  # fmt: skip
    """One frame; positions are unwrapped Cartesian."""
    n = len(ids)
    images = np.zeros((n, 3), dtype=int) if images is None else images
    order = range(n) if order is None else order
    lines = [] if units is None else ["ITEM: UNITS", units]
    if time is not None:
        lines += ["ITEM: TIME", repr(float(time))]
    lines += ["ITEM: TIMESTEP", str(step), "ITEM: NUMBER OF ATOMS", str(n)]
    low, high = bounding_box(cell, origin)
    if box == "orthogonal":
        lines.append("ITEM: BOX BOUNDS pp pp pp")
        lines += [f"{a!r} {b!r}" for a, b in zip(low.tolist(), high.tolist(), strict=True)]
    elif box == "restricted":
        lines.append("ITEM: BOX BOUNDS xy xz yz pp pp ff")
        tilts = cell[[1, 2, 2], [0, 0, 1]].tolist()
        lines += [f"{a!r} {b!r} {t!r}" for a, b, t in zip(low.tolist(), high.tolist(), tilts, strict=True)]
    else:
        lines.append("ITEM: BOX BOUNDS abc origin pp pp pp")
        rows = np.column_stack([cell, origin]).tolist()
        lines += [" ".join(repr(v) for v in row) for row in rows]
    values = positions
    if columns in {"x", "xs"}:
        values = positions - images @ cell
    if columns in {"xs", "xsu"}:
        values = np.linalg.solve(cell.T, (values - origin).T).T
    suffix = columns[1:]
    kind = "element" if types is None else "type"
    names = ["id", kind, *(f"{a}{suffix}" for a in "xyz")]
    with_images = columns in {"x", "xs"}
    names += ["ix", "iy", "iz"] if with_images else []
    names = ["mass", *names, "vx"] if extra else names
    lines.append("ITEM: ATOMS " + " ".join(names))
    for i in order:
        row = [
            str(ids[i]),
            str(elements[i] if types is None else types[i]),
            *(repr(v) for v in values[i].tolist()),
        ]
        row += [str(v) for v in images[i]] if with_images else []
        lines.append(" ".join(["6.94", *row, "nan"] if extra else row) + " ")
    return "\n".join(lines) + "\n"


def simple_frames(n_frames, n=4, every=10, start=0, seed=1):
    """A small orthogonal dump as text, one string a frame, and its positions."""
    rng = np.random.default_rng(seed)
    cell, origin = np.diag([8.0, 9.0, 10.0]), np.zeros(3)
    elements = (["Li", "P", "S", "S"] * n)[:n]
    positions = rng.uniform(0, 8, (n_frames, n, 3))
    texts = [
        dump_text(start + every * k, cell, origin, range(1, n + 1), elements, positions[k])
        for k in range(n_frames)
    ]
    return texts, positions
