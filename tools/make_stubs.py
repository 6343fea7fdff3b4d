"""Write python/lpsnmr/_core.pyi from the compiled core, or check that it is what would be written.

    python tools/make_stubs.py            # after a change of the bindings
    python tools/make_stubs.py --check    # exit 1 if the file is not up to date, or stubtest finds fault

pybind11-stubgen reads signatures and docstrings of ``lpsnmr._core`` as it can be imported here. This script
says them the way the package's own code does (``float`` for what can be made a float, arrays by their element
type) and states what the signatures leave open: ``PRECISE`` has the contents of tuples and dicts. Of a
docstring it keeps the first paragraph; ``help(lpsnmr._core)`` shows all of it.
"""

import argparse
import ast
import difflib
import inspect
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STUB = ROOT / "python" / "lpsnmr" / "_core.pyi"
HEAD = '''"""Types of the compiled core; written by tools/make_stubs.py, not by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lpsnmr.errors import InputError
'''

# what the signatures leave open, by function (returned) or function and argument
PRECISE = {
    "UfpPotential.compute": "dict[str, Any]",
    "DensityPotential.compute": "dict[str, Any]",
    "EfgBasis.environments": "tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]",
    "EfgPredictor.predict": "tuple[NDArray[np.float64], NDArray[np.uint8]]",
    "MultiTau.state": "dict[str, NDArray[np.generic]]",
    "MultiTau.from_state.state": "dict[str, NDArray[np.generic]]",
    "EchoCorrelator.state": "dict[str, NDArray[np.generic]]",
    "EchoCorrelator.from_state.state": "dict[str, NDArray[np.generic]]",
    "DensityBasis.features": "tuple[NDArray[np.float64], NDArray[np.float64]]",
    "density_site_features.basis": "DensityBasis",
    "read_uf3_blocks": "dict[str, Any]",
    "read_ufd_blocks": "dict[str, Any]",
    "parse_efg": "dict[str, Any]",
    "Extrapolation.pairs": "list[tuple[int, int, float]]",
    "Extrapolation.largest_deviations": "list[float]",
    "DumpParser.feed.text": "bytes | bytearray | memoryview",
    "DumpParser.next": (
        "tuple[int, float, NDArray[np.float64], list[float], list[bool], NDArray[np.int64], "
        "NDArray[np.int32], NDArray[np.float64], NDArray[np.float64] | None] | None"
    ),
}
PLAIN = {
    "typing.SupportsInt | typing.SupportsIndex": "int",
    "typing.SupportsFloat | typing.SupportsIndex": "float",
    "collections.abc.Sequence": "Sequence",
    "typing.Any": "Any",
    "lpsnmr.errors.InputError": "InputError",
    "numpy.typing.": "",
    "numpy.": "np.",
}


class Plainly(ast.NodeTransformer):
    """Say types as the package's own code does; docstrings begin on their first line."""

    def __init__(self) -> None:
        self._scope: list[str] = []
        self.used: set[str] = set()

    def _type(self, node: ast.expr, name: str) -> ast.expr:
        if name in PRECISE:
            self.used.add(name)
            return ast.parse(PRECISE[name], mode="eval").body
        text = ast.unparse(Unannotated().visit(node))
        for long, short in PLAIN.items():
            text = text.replace(long, short)
        plain = ast.parse(text, mode="eval").body
        if text in ("dict", "tuple", "list", "...", "Any"):
            raise SystemExit(f"{name}: expected a precise type, got {text}: say it in PRECISE")
        return plain

    def _docstring(self, node: ast.ClassDef | ast.FunctionDef) -> None:
        text = ast.get_docstring(node)
        if text:
            text = text.split("\n\n")[0]
            indent = " " * 4 * (len(self._scope))
            lines = [indent + line if line else "" for line in inspect.cleandoc(text).splitlines()]
            lines += [indent] if len(lines) > 1 else []
            node.body[0] = ast.Expr(ast.Constant("\n".join(lines).lstrip(" ")))
        node.body = [b for b in node.body if not isinstance(b, ast.Pass) and ast.unparse(b) != "..."]
        if not text and not node.body:
            node.body = [ast.Expr(ast.Constant(...))]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Go into a class."""
        self._scope.append(node.name)
        node.bases = [self._type(b, node.name) for b in node.bases]
        self.generic_visit(node)
        self._docstring(node)
        self._scope.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Say the types of a function's arguments and of what it returns."""
        self._scope.append(node.name)
        name = ".".join(self._scope)
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.annotation:
                argument.annotation = self._type(argument.annotation, f"{name}.{argument.arg}")
        if node.returns:
            node.returns = self._type(node.returns, name)
        self._docstring(node)
        self._scope.pop()
        return node


class Unannotated(ast.NodeTransformer):
    """Replace ``Annotated[T, ...]`` by T."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Take the type out."""
        self.generic_visit(node)
        if ast.unparse(node.value) == "typing.Annotated" and isinstance(node.slice, ast.Tuple):
            return node.slice.elts[0]
        return node


def generated() -> str:
    """Return the text of the stub for the core that can be imported here."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pybind11_stubgen", "lpsnmr._core", "-o", folder]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        module = ast.parse((Path(folder) / "lpsnmr" / "_core.pyi").read_text(encoding="utf-8"))
    plainly = Plainly()
    body = [plainly.visit(n) for n in module.body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    if unused := PRECISE.keys() - plainly.used:
        raise SystemExit(
            f"PRECISE names {', '.join(sorted(unused))}: expected functions of the core, got none"
        )
    text = (
        HEAD + "\n__version__: str\n\n" + "\n\n".join(ast.unparse(ast.fix_missing_locations(n)) for n in body)
    )
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(STUB), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def stubtest() -> list[str]:
    """Return what mypy.stubtest finds wrong, but for the metaclass that pybind11 gives every class."""
    command = [sys.executable, "-m", "mypy.stubtest", "lpsnmr._core", "--concise"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if "metaclass differs" not in line and line != "Success: no issues found"]


def main() -> int:
    """Write the stub, or check it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs")
    text = generated()
    if not parser.parse_args().check:
        STUB.write_text(text, encoding="utf-8")
        return 0
    before = STUB.read_text(encoding="utf-8")
    wrong = list(
        difflib.unified_diff(before.splitlines(), text.splitlines(), STUB.name, "generated", lineterm="")
    )
    wrong += stubtest()
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
