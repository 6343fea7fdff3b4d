"""What a run samples for NMR beyond the tensor correlation: echoes, single-crystal frequencies, tensors."""

from dataclasses import dataclass

import numpy as np

from lpsnmr.efg.quadrupolar import frequency_rad_s_per_efg
from lpsnmr.errors import InputError
from lpsnmr.results import Echo, SingleCrystal, TensorSamples
from lpsnmr.results.tensor_file import TensorRows
from lpsnmr.sampling import (
    EchoCorrelator,
    MultiTauCorrelator,
    TensorSampler,
    WindowMean,
    join_states,
    projections,
    slice_state,
)
from lpsnmr.sampling.settings import SamplingSettings
from lpsnmr.sampling.states import State
from lpsnmr.typing import Array

__all__ = ["NmrGroups", "NmrSampler", "join_nmr_states", "nmr_groups", "slice_nmr_states"]


WINDOW, ECHO, SAMPLES, DIRECTION = "window", "echo", "tensor_samples", "direction"


class NmrSampler:
    """Accumulators fed with the five components of every owned Li.

    Parameters
    ----------
    settings
        What to sample. Windows are rounded to a whole number of samples.
    n_li
        Number of owned Li; 0 is allowed.
    sample_interval_ps
        Time between samples, ps.
    points_per_level
        Lags per level of the single-crystal correlators.
    nucleus
        As ``lpsnmr.nuclides.nuclide`` reads it.
    tensors_ps
        Time between tensors written to the thinned trajectory, ps; 0 writes none.
    """

    def __init__(
        self,
        settings: SamplingSettings,
        n_li: int,
        *,
        sample_interval_ps: float,
        points_per_level: int = 16,
        nucleus: str = "7Li",
        tensors_ps: float = 0.0,
    ) -> None:
        self.settings = settings
        length = max(1, round(settings.window_ps / sample_interval_ps))
        window_ps = length * sample_interval_ps
        self._window = WindowMean(n_li, 5, length)
        self._samples = TensorSampler(n_li, sample_interval_ps=window_ps)
        self._echo: EchoCorrelator | None = None
        if settings.evolution_times_us:
            self._echo = EchoCorrelator(
                n_li,
                evolution_times_us=settings.evolution_times_us,
                frequency_rad_s_per_efg=frequency_rad_s_per_efg(nucleus),
                sample_interval_ps=window_ps,
                degree=settings.orientation_degree,
            )
        self._projections = projections(np.reshape(settings.field_directions, (-1, 3)))
        self._directions = [
            MultiTauCorrelator(
                n_li, 1, sample_interval_ps=sample_interval_ps, points_per_level=points_per_level
            )
            for _ in self._projections
        ]
        self._every = round(tensors_ps / sample_interval_ps) if tensors_ps > 0 else 0
        if tensors_ps > 0:
            self._every = max(1, self._every)
        self._n_samples = 0
        self.rows = TensorRows()

    def add(self, components: Array, step: int) -> None:
        """Take the (n_li, 5) components of one sample, V/Å²."""
        for projection, correlator in zip(self._projections, self._directions, strict=True):
            correlator.add((components @ projection)[:, None])
        mean = self._window.add(components)
        if mean is not None:
            self._samples.add(mean)
            if self._echo is not None:
                self._echo.add(mean)
        if self._every and self._n_samples % self._every == 0:
            self.rows.steps.append(step)
            self.rows.components.append(components.copy())
        self._n_samples += 1

    def states(self) -> dict[str, State]:
        """Return the states of all accumulators by name."""
        states = {WINDOW: self._window.state(), SAMPLES: self._samples.state()}
        if self._echo is not None:
            states[ECHO] = self._echo.state()
        for k, correlator in enumerate(self._directions):
            states[f"{DIRECTION}_{k}"] = correlator.state()
        return states

    def restore(self, states: dict[str, State], n_samples: int) -> None:
        """Continue from states of the same Li.

        Raises
        ------
        InputError
            When accumulators are missing.
        """
        missing = sorted(self.states().keys() - states.keys())
        if missing:
            raise InputError(f"the checkpoint has no {', '.join(missing)}")
        self._window = WindowMean.from_state(states[WINDOW])
        self._samples = TensorSampler.from_state(states[SAMPLES])
        if self._echo is not None:
            self._echo = EchoCorrelator.from_state(states[ECHO])
        self._directions = [
            MultiTauCorrelator.from_state(states[f"{DIRECTION}_{k}"]) for k in range(len(self._projections))
        ]
        self._n_samples = n_samples
        self.rows = TensorRows()


def join_nmr_states(parts: list[dict[str, State]]) -> dict[str, State]:
    """Join the states of all ranks, in rank order."""
    return {name: join_states([part[name] for part in parts]) for name in parts[0]}


def slice_nmr_states(states: dict[str, State], low: int, high: int) -> dict[str, State]:
    """Cut out the Li ``low`` to ``high``."""
    return {name: slice_state(state, low, high) for name, state in states.items()}


@dataclass(frozen=True)
class NmrGroups:
    """What was sampled for NMR as groups of the results file; see ``lpsnmr.results.Results``."""

    echo: Echo | None
    tensor_samples: TensorSamples | None
    single_crystals: list[SingleCrystal]


def nmr_groups(states: dict[str, State], directions: tuple[tuple[float, float, float], ...]) -> NmrGroups:
    """Return the groups of the results file from joined states."""
    crystals = []
    for k, (x, y, z) in enumerate(directions):
        correlator = MultiTauCorrelator.from_state(states[f"{DIRECTION}_{k}"])
        crystals.append(SingleCrystal((float(x), float(y), float(z)), correlator.statistics()))
    return NmrGroups(
        echo=EchoCorrelator.from_state(states[ECHO]).statistics() if ECHO in states else None,
        tensor_samples=TensorSampler.from_state(states[SAMPLES]).samples() if SAMPLES in states else None,
        single_crystals=crystals,
    )
