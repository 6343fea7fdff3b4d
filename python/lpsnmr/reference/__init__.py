"""Reference data: reading, splitting, merging, cards."""

from lpsnmr.reference.phases import phase_of
from lpsnmr.reference.reader import LABELS, read_reference
from lpsnmr.reference.splits import blocks_by_run, run_name, split_blocks

__all__ = [
    "LABELS",
    "blocks_by_run",
    "phase_of",
    "read_reference",
    "run_name",
    "split_blocks",
]
