"""The optional groups of a results file as they lie on disk."""

import io

import h5py


def extra_of(results):
    """Return ``{group: {dataset: array}}`` of what ``results`` would write under ``/extra``."""
    with h5py.File(io.BytesIO(), "w") as file:
        results._fill(file)
        extra = file.get("extra", {})
        return {name: {key: array[()] for key, array in group.items()} for name, group in extra.items()}
