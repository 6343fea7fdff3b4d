"""Time what sampling adds to the MD: EFG and correlators, paired with the same MD without them.

    python benchmarks/bench_sampling.py [--interval 50] [--samples 40] [--repeats 5] [--plain] > sampling.json

β-Li3PS4, 128 atoms, shipped models, one rank, CPU time, with the echoes and spectra of `lpsnmr run` at their
defaults unless --plain. Stretches with and without sampling alternate,
so that a change of the machine's speed touches both.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from lpsnmr.efg import EfgModel
from lpsnmr.io.data_file import write_data_file
from lpsnmr.md import MdSettings, PotentialSettings
from lpsnmr.md.commands import pair_commands, production_commands, system_commands, velocity_command
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.pipeline.nmr_sampling import NmrSettings
from lpsnmr.pipeline.prepare import potential_path
from lpsnmr.pipeline.sampler import Sampler
from lpsnmr.structures import load_structure, supercell


def start(folder: Path) -> LammpsDriver:
    """Set up the MD."""
    elements = write_data_file(folder / "beta.data", supercell(load_structure("beta-Li3PS4"), (1, 2, 2)))
    settings = MdSettings()
    pair = pair_commands(PotentialSettings(), potential_path("default"), elements)
    driver = LammpsDriver()
    driver.commands(system_commands(settings, folder / "beta.data", pair, restart=False))
    driver.commands([velocity_command(settings), *production_commands(settings, 0)])
    driver.define_types(elements)
    driver.advance(0)
    return driver


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interval", type=int, default=50, help="MD steps per sample")
    parser.add_argument("--samples", type=int, default=40, help="samples per repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--plain", action="store_true", help="no echoes and spectra")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        driver = start(Path(folder))
        frame = driver.frame()
        model = EfgModel.default()
        plain, added = [], []
        for _ in range(options.repeats):
            sampler = Sampler(
                model, frame.ids, frame.numbers, sample_interval_ps=0.1, interval_steps=options.interval,
                nmr=None if options.plain else NmrSettings(),
            )  # fmt: skip
            md = sampling = 0.0
            for _ in range(options.samples):
                begin = time.process_time()
                driver.advance(options.interval)
                middle = time.process_time()
                sampler.add(driver.frame(), driver.thermo().get("Temp"))
                md += middle - begin
                sampling += time.process_time() - middle
            plain.append(md)
            added.append(sampling)
        driver.close()
    per_sample = statistics.median(added) / options.samples
    per_step = statistics.median(plain) / options.samples / options.interval
    print(
        json.dumps(
            {
                "atoms": len(frame.ids),
                "md_us_per_step": round(per_step * 1e6, 1),
                "sampling_us_per_sample": round(per_sample * 1e6, 1),
                "overhead_percent": round(100.0 * statistics.median(added) / statistics.median(plain), 2),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
