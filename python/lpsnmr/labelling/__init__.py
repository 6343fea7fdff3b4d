"""Label structures with energies, forces, stresses and EFG tensors."""

from lpsnmr.labelling.label_frames import EngineChoice, LabelReport, LabelStatus, label_frames

__all__ = ["EngineChoice", "LabelReport", "LabelStatus", "label_frames"]
