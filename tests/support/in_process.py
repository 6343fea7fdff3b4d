"""Run a Python script that drives LAMMPS in process, under mpirun: many cases for one start.

With LPSNMR_SANITIZED_PLUGIN set to the folder of a ufpplugin.so built with -DLPSNMR_SANITIZE=ON, that
plugin is loaded instead of the installed one, under AddressSanitizer and UndefinedBehaviorSanitizer.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from support.shared_process import TIMEOUT_S, own, shared

OTHER_PLUGIN = "import lpsnmr._plugin as _plugin\n_plugin.plugin_folder = lambda: ''\n"


def sanitized():
    """Return mpirun's options and the head of a script that load the sanitized plugin, when there is one."""
    folder = os.environ.get("LPSNMR_SANITIZED_PLUGIN")
    if not folder:
        return [], ""
    found = [
        subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
        for name in ("libasan.so", "libubsan.so")
    ]
    options = {
        "LD_PRELOAD": ":".join(done.stdout.strip() for done in found),
        "ASAN_OPTIONS": "detect_leaks=0",
        "LAMMPS_PLUGIN_PATH": folder,
    }
    return [word for name, value in options.items() for word in ("-genv", name, value)], OTHER_PLUGIN


def run_script(source, folder, ranks=1, timeout_s=TIMEOUT_S, **values):
    """Write the script and its JSON input, run it; return what rank 0 left in out.json."""
    folder = Path(folder)
    options, head = sanitized()
    (folder / "script.py").write_text(head + source)
    (folder / "in.json").write_text(json.dumps(values))
    (folder / "out.json").unlink(missing_ok=True)
    if options:
        done = own([*options, sys.executable, "script.py"], folder, ranks, timeout_s)
    else:
        done = shared("script", ["script.py"], folder, ranks, timeout_s)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads((folder / "out.json").read_text())
