"""Ultra-fast potentials (UF2+3): evaluate, fit, write.

A name is loaded when it is first used: MD wants the files alone, and not what fits are made with.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lpsnmr.fitting.assess import FrameErrors, LearningPoint, SpreadRow
    from lpsnmr.fitting.datasets import DataSet
    from lpsnmr.fitting.errors_table import ErrorRow, format_table
    from lpsnmr.fitting.walk import Execution
    from lpsnmr.potential.basis import BasisSettings, Layout, clamped_knots
    from lpsnmr.potential.calculator import Ufp, UfpCalculator, UfpPrediction
    from lpsnmr.potential.density import DensityBlock, DensityChannel, DensityLayout
    from lpsnmr.potential.extrapolation import Extrapolation, SiteGrades
    from lpsnmr.potential.fit import FitResult, FitSettings, fit_ufp
    from lpsnmr.potential.prior import PriorSettings
    from lpsnmr.potential.provenance import extrapolation_path, fit_targets, save_fit
    from lpsnmr.potential.rows import WeightSettings
    from lpsnmr.potential.uf3_file import (
        PairBlock,
        TripleBlock,
        Uf3Potential,
        blocks_from_coefficients,
        read_uf3,
        write_uf3,
    )
    from lpsnmr.potential.ufd_file import companion, density_path, potential_hash, read_ufd, write_ufd

_MODULES = {
    "BasisSettings": "lpsnmr.potential.basis",
    "DataSet": "lpsnmr.fitting.datasets",
    "DensityBlock": "lpsnmr.potential.density",
    "DensityChannel": "lpsnmr.potential.density",
    "DensityLayout": "lpsnmr.potential.density",
    "ErrorRow": "lpsnmr.fitting.errors_table",
    "Execution": "lpsnmr.fitting.walk",
    "Extrapolation": "lpsnmr.potential.extrapolation",
    "FitResult": "lpsnmr.potential.fit",
    "FitSettings": "lpsnmr.potential.fit",
    "FrameErrors": "lpsnmr.fitting.assess",
    "Layout": "lpsnmr.potential.basis",
    "LearningPoint": "lpsnmr.fitting.assess",
    "PairBlock": "lpsnmr.potential.uf3_file",
    "PriorSettings": "lpsnmr.potential.prior",
    "SiteGrades": "lpsnmr.potential.extrapolation",
    "SpreadRow": "lpsnmr.fitting.assess",
    "TripleBlock": "lpsnmr.potential.uf3_file",
    "Uf3Potential": "lpsnmr.potential.uf3_file",
    "Ufp": "lpsnmr.potential.calculator",
    "UfpCalculator": "lpsnmr.potential.calculator",
    "UfpPrediction": "lpsnmr.potential.calculator",
    "WeightSettings": "lpsnmr.potential.rows",
    "blocks_from_coefficients": "lpsnmr.potential.uf3_file",
    "clamped_knots": "lpsnmr.potential.basis",
    "companion": "lpsnmr.potential.ufd_file",
    "density_path": "lpsnmr.potential.ufd_file",
    "extrapolation_path": "lpsnmr.potential.provenance",
    "fit_targets": "lpsnmr.potential.provenance",
    "fit_ufp": "lpsnmr.potential.fit",
    "format_table": "lpsnmr.fitting.errors_table",
    "potential_hash": "lpsnmr.potential.ufd_file",
    "read_uf3": "lpsnmr.potential.uf3_file",
    "read_ufd": "lpsnmr.potential.ufd_file",
    "save_fit": "lpsnmr.potential.provenance",
    "write_uf3": "lpsnmr.potential.uf3_file",
    "write_ufd": "lpsnmr.potential.ufd_file",
}
"""Name: the module that has it."""

__all__ = [
    "BasisSettings",
    "DataSet",
    "DensityBlock",
    "DensityChannel",
    "DensityLayout",
    "ErrorRow",
    "Execution",
    "Extrapolation",
    "FitResult",
    "FitSettings",
    "FrameErrors",
    "Layout",
    "LearningPoint",
    "PairBlock",
    "PriorSettings",
    "SiteGrades",
    "SpreadRow",
    "TripleBlock",
    "Uf3Potential",
    "Ufp",
    "UfpCalculator",
    "UfpPrediction",
    "WeightSettings",
    "blocks_from_coefficients",
    "clamped_knots",
    "companion",
    "density_path",
    "extrapolation_path",
    "fit_targets",
    "fit_ufp",
    "format_table",
    "potential_hash",
    "read_uf3",
    "read_ufd",
    "save_fit",
    "write_uf3",
    "write_ufd",
]


if not TYPE_CHECKING:  # a type checker sees the imports above, and no other names

    def __getattr__(name: str) -> object:
        """Load a name when it is first used."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(_MODULES[name]), name)
        globals()[name] = value
        return value
