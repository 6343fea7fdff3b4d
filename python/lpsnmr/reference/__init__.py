"""Reference data: reading, splitting, describing."""
