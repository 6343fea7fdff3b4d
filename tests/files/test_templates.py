"""Templates of pages: what comes from outside is escaped, and nothing that a template names may miss."""

import jinja2
import pytest

from lpsnmr.files.templates import render


def test_pages_escape_what_they_are_given():
    rows = [("<script>", "2 > 1 & more", "", "met")]
    page = render("validation_report.html", title="a <b>", heading="a <b>", rows=rows, picture="AAAA")
    assert "<script>" not in page
    assert "<td>&lt;script&gt;</td><td>2 &gt; 1 &amp; more</td><td></td><td>met</td>" in page
    assert page.startswith("<!doctype html>\n")
    assert "<h1>a &lt;b&gt;</h1>" in page


def test_a_missing_value_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="'heading' is undefined"):
        render("validation_report.html", title="x", rows=[], picture="")
