"""From the joined state of a sampler to the results file."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from lpsnmr.elements import symbol_of
from lpsnmr.results import Results
from lpsnmr.sampling import DisplacementCorrelator, JumpSettings, MotionTracker, MultiTauCorrelator
from lpsnmr.sampling.nmr_sampling import nmr_groups
from lpsnmr.sampling.sampler import SamplerState, mean_values
from lpsnmr.structures.framework import Framework
from lpsnmr.structures.species import SpeciesSettings

__all__ = ["build_results"]

Directions = tuple[tuple[float, float, float], ...]


def build_results(
    state: SamplerState,
    numbers: NDArray[np.int32],
    *,
    temperature_k: float | None,
    nucleus: str,
    jump_distance_angstrom: float | None,
    provenance: dict[str, str | int | float],
    statistics: dict[str, float],
    field_directions: Directions = (),
    jumps: JumpSettings | None = None,
    species: SpeciesSettings | None = None,
) -> Results:
    """Return the results of a run.

    Parameters
    ----------
    state
        Joined state of all ranks.
    numbers
        (n,) atomic numbers of all atoms.
    temperature_k
        Target temperature, K; None when unknown.
    nucleus
        Nucleus of the analysis, such as ``"7Li"``.
    species
        Which ion moves, and what it moves through.
    jump_distance_angstrom
        Mean distance between neighbouring Li sites, Å; None when unknown.
    provenance, statistics
        As in ``Results``.
    field_directions
        Of the single-crystal correlators, in their order.
    jumps
        Settings of the jump detectors; None when jumps were not followed.
    """
    species = species or SpeciesSettings()
    efg = MultiTauCorrelator.from_state(state.efg)
    displacement = DisplacementCorrelator.from_state(state.displacement)
    cell, mean_temperature, spread = mean_values(state.sums, efg.n_samples)
    nmr = nmr_groups(state.nmr, field_directions)
    motion = {} if jumps is None else vars(MotionTracker.from_state(state.motion, jumps).summary(cell))
    return Results(
        sample_interval_ps=efg.sample_interval_ps,
        n_samples=efg.n_samples,
        n_atoms=len(numbers),
        li_ids=state.li_ids,
        cell=cell,
        species_counts={symbol_of(z): n for z, n in sorted(Counter(numbers.tolist()).items())},
        nucleus=nucleus,
        temperature_k=float("nan") if temperature_k is None else temperature_k,
        mean_temperature_k=mean_temperature,
        std_temperature_k=spread,
        efg_correlation=efg.statistics(),
        efg_mean=efg.mean,
        efg_mean_square=efg.mean_square,
        displacement=displacement.statistics(),
        drift_removed=bool(Framework(numbers, species)),
        mobile=species.mobile,
        charge=species.charge,
        jump_distance_angstrom=jump_distance_angstrom,
        provenance=provenance,
        statistics={
            **statistics,
            "efg_predictions": float(efg.n_samples * len(state.li_ids)),
            "efg_outside_training_range": float(state.n_flagged),
        },
        **vars(nmr),
        **motion,
    )
