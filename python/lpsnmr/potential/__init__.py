"""Ultra-fast potentials (UF2+3): evaluate, fit, write."""

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
