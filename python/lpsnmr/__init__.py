"""lpsnmr: from a crystal structure to the solid-state NMR observables of moving lithium.

>>> import lpsnmr
>>> run = lpsnmr.open_run("results/beta")  # doctest: +SKIP
>>> run.tau_mean, run.diffusion, run.plot_c_of_t()  # doctest: +SKIP

The names below are the public API; what else can be imported may change. This module imports nothing that
takes time, because LAMMPS imports it to find the plugin (see ``_plugin``): a name is loaded when first used.
"""

from lpsnmr.version import __version__ as __version__

TYPE_CHECKING = False  # as in typing, whose import takes longer than this module
if TYPE_CHECKING:
    from lpsnmr.analysis import Analysis as Analysis
    from lpsnmr.analysis import AnalysisSettings as AnalysisSettings
    from lpsnmr.analysis import Interval as Interval
    from lpsnmr.analysis import Note as Note
    from lpsnmr.analysis import Quantity as Quantity
    from lpsnmr.analysis import analyze as analyze
    from lpsnmr.analysis.dynamics import DiffusionSettings as DiffusionSettings
    from lpsnmr.analysis.nmr import DecaySettings as DecaySettings
    from lpsnmr.analysis.nmr import ObservableSettings as ObservableSettings
    from lpsnmr.efg import EfgModel as EfgModel
    from lpsnmr.errors import ComputeError as ComputeError
    from lpsnmr.errors import FileFormatError as FileFormatError
    from lpsnmr.errors import InputError as InputError
    from lpsnmr.errors import LpsnmrError as LpsnmrError
    from lpsnmr.errors import MissingPackageError as MissingPackageError
    from lpsnmr.report.analysis_files import write_analysis as write_analysis
    from lpsnmr.report.opened_run import OpenedRun as OpenedRun
    from lpsnmr.report.opened_run import open_run as open_run
    from lpsnmr.results import Results as Results
    from lpsnmr.results.tensor_file import read_tensors as read_tensors

_PUBLIC = {
    "Analysis": "lpsnmr.analysis",
    "AnalysisSettings": "lpsnmr.analysis",
    "ComputeError": "lpsnmr.errors",
    "DecaySettings": "lpsnmr.analysis.nmr",
    "DiffusionSettings": "lpsnmr.analysis.dynamics",
    "EfgModel": "lpsnmr.efg",
    "FileFormatError": "lpsnmr.errors",
    "InputError": "lpsnmr.errors",
    "Interval": "lpsnmr.analysis",
    "LpsnmrError": "lpsnmr.errors",
    "MissingPackageError": "lpsnmr.errors",
    "Note": "lpsnmr.analysis",
    "ObservableSettings": "lpsnmr.analysis.nmr",
    "OpenedRun": "lpsnmr.report.opened_run",
    "Quantity": "lpsnmr.analysis",
    "Results": "lpsnmr.results",
    "analyze": "lpsnmr.analysis",
    "open_run": "lpsnmr.report.opened_run",
    "read_tensors": "lpsnmr.results.tensor_file",
    "write_analysis": "lpsnmr.report.analysis_files",
}
"""Public name: the module that has it."""

__all__ = ["__version__", *_PUBLIC]


if not TYPE_CHECKING:  # a type checker sees the imports above, and no other names

    def __getattr__(name: str) -> object:
        """Load a public name when it is first used."""
        if name not in _PUBLIC:
            raise AttributeError(f"module 'lpsnmr' has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """List the public names beside what is loaded."""
    return sorted({*globals(), *_PUBLIC})
