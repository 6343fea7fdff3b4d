"""The Python in the pages on analysis does what they say."""

import doctest
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np

from oracles.results_files import synthetic_results

DOCS = Path(__file__).resolve().parents[2] / "docs"


def python_blocks(page):
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def test_from_python(tmp_path, monkeypatch):
    mpl.use("Agg")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "beta").mkdir(parents=True)
    synthetic_results(0.05).write("results/beta/results.h5")
    blocks = python_blocks("howto/analyze.md")
    assert len(blocks) == 2
    examples = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "analyze.md", None, 0)
    told = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(examples, out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)
    assert runner.tries > 10


def test_results_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = synthetic_results(0.05, samples=50)
    results.write("run.h5")
    (block,) = python_blocks("reference/results-format.md")
    names = {}
    exec(block, names)
    assert names["lag_ps"].shape == names["c_of_t"].shape
    np.testing.assert_array_equal(names["lag_ps"], results.efg_correlation.lag_ps)
