"""Read and write files: structures, dumps, results."""
