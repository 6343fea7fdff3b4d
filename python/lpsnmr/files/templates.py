"""Pages and cards from the templates that are shipped with the package (jinja2)."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

__all__ = ["render"]


def render(template: str, **values: Any) -> str:
    """Return a template of ``lpsnmr/templates`` filled in.

    Parameters
    ----------
    template
        File name; values are escaped in the ``.html`` ones.
    **values
        What the template names. One that is not given is an error (``jinja2.UndefinedError``), not a blank.

    Returns
    -------
    str
        The text, with the line breaks of the template.
    """
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("lpsnmr", "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment
