"""The configuration of a stream from the names that its options have."""

import json

from lpsnmr.runs.config import load_config

KEYS = {
    "folder": "output.folder",
    "checkpoint_min": "output.checkpoint_min",
    "tensors_ps": "output.tensors_ps",
    "nucleus": "efg.nucleus",
    "jump_distance_angstrom": "jumps.distance_angstrom",
    **{
        name: f"sampling.{name}"
        for name in (
            "interval_ps", "points_per_level", "window_ps", "evolution_times_us", "orientation_degree",
            "field_directions",
        )
    },
}  # fmt: skip
"""Name of an option: its key, where that is not in [stream]."""


def stream_settings(**options):
    """Return settings that differ from the defaults in these."""
    words = []
    for name, value in options.items():
        text = json.dumps(str(value) if name == "folder" else value)
        words.append(f"{KEYS.get(name, f'stream.{name}')}={text}")
    return load_config(None, words, "stream")
