"""From jumps to what a spectrometer sees: networks of sites, echoes, lines and relaxation."""

from lpsnmr.network.exchange import Modes, exchange_echo, fid, quadrupole_echo
from lpsnmr.network.lines import exchange_spectrum
from lpsnmr.network.model import JumpNetwork
from lpsnmr.network.rates import JumpCounts, fit_rates
from lpsnmr.network.redfield import quadrupolar_rates
from lpsnmr.network.toml_file import read_network

__all__ = [
    "JumpCounts",
    "JumpNetwork",
    "Modes",
    "exchange_echo",
    "exchange_spectrum",
    "fid",
    "fit_rates",
    "quadrupolar_rates",
    "quadrupole_echo",
    "read_network",
]
