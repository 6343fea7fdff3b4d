"""Run a Python script that drives LAMMPS in process, under mpirun: many cases for one start."""

import json
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def run_script(source, folder, ranks=1, timeout_s=110, **values):
    """Write the script and its JSON input, run it; return what rank 0 left in out.json."""
    folder = Path(folder)
    (folder / "script.py").write_text(source)
    (folder / "in.json").write_text(json.dumps(values))
    (folder / "out.json").unlink(missing_ok=True)
    command = [BIN / "mpirun", "-np", str(ranks), sys.executable, "script.py"]
    done = subprocess.run(
        [str(c) for c in command], cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads((folder / "out.json").read_text())
