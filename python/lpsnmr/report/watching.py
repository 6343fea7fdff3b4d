"""What an output folder says while its run or stream goes on."""

from dataclasses import dataclass
from pathlib import Path

from lpsnmr.analysis.dynamics import DiffusionSettings, analyze_diffusion, analyze_jumps
from lpsnmr.analysis.nmr import DecaySettings, analyze_decay
from lpsnmr.analysis.notes import Notes
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import InputError
from lpsnmr.results import RESULTS_FILE, Results
from lpsnmr.runs.live import LiveStatus, read_status

__all__ = ["Estimates", "FolderWatcher"]

BOOTSTRAP = 60


@dataclass(frozen=True)
class Estimates:
    """Numbers from the results so far; None where not resolved.

    Attributes
    ----------
    n_samples, duration_ps
        Of the results file, which is as old as the last checkpoint.
    flagged_share
        EFG predictions outside the range of the training data, as a share.
    tau_mean_ps, diffusion_cm2_s, jump_rate_per_s
        Decay time, D, and jump rate by sites.
    reason
        Why there is no decay time, in words, or empty.
    """

    n_samples: int
    duration_ps: float
    flagged_share: float
    tau_mean_ps: Interval | None
    diffusion_cm2_s: Interval | None
    jump_rate_per_s: Interval | None
    reason: str


class FolderWatcher:
    """Reads ``status.json``, and ``results.h5`` whenever it has changed.

    Parameters
    ----------
    folder
        Output folder of a run or stream.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: tuple[int, int] | None = None
        self._estimates: Estimates | None = None

    def status(self) -> LiveStatus | None:
        """Return the progress; None when nothing was written yet."""
        return read_status(self._folder)

    def estimates(self) -> Estimates | None:
        """Return the estimates from the results file; None without a readable one."""
        path = self._folder / RESULTS_FILE
        try:
            found = path.stat()
        except OSError:
            return None
        stamp = (found.st_ino, found.st_mtime_ns)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._estimates = _estimate(Results.read(path))
            except InputError:
                self._estimates = None  # of another format, or damaged
        return self._estimates


def _estimate(results: Results) -> Estimates:
    """Return the estimates there are; one that fails leaves the others."""
    notes, part = Notes(), "decay"
    efg, displacement, sites = results.efg_correlation, results.displacement, results.jumps_sites
    decay = diffusion = jumps = None
    if efg is not None:
        settings = DecaySettings(n_bootstrap=BOOTSTRAP)
        decay = notes.attempt(
            part, lambda: analyze_decay(efg, results.duration_ps, results.nucleus, settings)
        )
    if displacement is not None:
        fit = DiffusionSettings(n_bootstrap=BOOTSTRAP)
        diffusion = notes.attempt(
            "diffusion", lambda: analyze_diffusion(displacement, results.duration_ps, fit)
        )
    if sites is not None:
        jumps = notes.attempt("jumps", lambda: analyze_jumps(sites))
    predicted = results.statistics.get("efg_predictions", 0.0)
    flagged = results.statistics.get("efg_outside_training_range", 0.0)
    return Estimates(
        n_samples=results.n_samples,
        duration_ps=results.duration_ps,
        flagged_share=flagged / predicted if predicted else 0.0,
        tau_mean_ps=decay.tau_mean_ps if decay else None,
        diffusion_cm2_s=diffusion.diffusion_cm2_s if diffusion else None,
        jump_rate_per_s=jumps.rate_per_s if jumps else None,
        reason=decay.reason if decay else notes.about(part) or "no EFG was sampled",
    )
