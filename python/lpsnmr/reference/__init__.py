"""Reference data: reading, splitting, merging, cards."""

from lpsnmr.reference.reader import LABELS, read_reference
from lpsnmr.reference.splits import blocks_by_run, run_name, split_blocks

__all__ = [
    "LABELS",
    "blocks_by_run",
    "read_reference",
    "run_name",
    "split_blocks",
]
