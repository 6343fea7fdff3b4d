"""Files that are never half-written, folders that one process holds."""
