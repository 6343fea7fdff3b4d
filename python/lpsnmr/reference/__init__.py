"""Reference data: labelling, reading, splitting, merging."""

from lpsnmr.reference.labelling import EngineChoice, LabelReport, LabelStatus, label_frames
from lpsnmr.reference.reader import LABELS, read_reference
from lpsnmr.reference.shipped import shipped_reference
from lpsnmr.reference.splits import blocks_by_run, run_name, split_blocks

__all__ = [
    "LABELS",
    "EngineChoice",
    "LabelReport",
    "LabelStatus",
    "blocks_by_run",
    "label_frames",
    "read_reference",
    "run_name",
    "shipped_reference",
    "split_blocks",
]
