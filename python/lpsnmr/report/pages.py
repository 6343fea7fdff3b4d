"""A report of one page: a picture, and the same picture in an HTML page with tables."""

import base64
import io
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from lpsnmr.files.atomic import written_aside
from lpsnmr.files.templates import render

__all__ = ["write_page"]


def write_page(
    folder: Path, stem: str, template: str, figure: Figure, *, dpi: int, **values: Any
) -> list[Path]:
    """Write ``STEM.png`` and ``STEM.html``, each whole or not at all.

    Parameters
    ----------
    folder, stem
        Where, and the beginning of the names.
    template
        Of ``lpsnmr/templates``; ``picture`` in it is the figure, base64.
    figure, dpi
        The picture and its resolution.
    **values
        What else the template names.

    Returns
    -------
    list of Path
        The two files.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    picture = buffer.getvalue()
    text = render(template, picture=base64.b64encode(picture).decode(), **values)
    png, page = folder / f"{stem}.png", folder / f"{stem}.html"
    with written_aside(png) as aside:
        aside.write_bytes(picture)
    with written_aside(page) as aside:
        aside.write_text(text, encoding="utf-8")
    return [png, page]
