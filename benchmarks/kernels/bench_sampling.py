"""Time what sampling adds to the MD, paired with the same MD without it.

    python benchmarks/kernels/bench_sampling.py [--interval 50] [--samples 100] [--repeats 7]
                                        [--plain | --no-jumps] [--gathered]

β-Li3PS4, 128 atoms, shipped models, one rank, CPU time. Sampling is what `lpsnmr run` does by default: EFG of
every Li, correlators, echoes, spectra, jumps and rotations; with --no-jumps the EFG and all correlators, with
--plain only those of tensors and displacements; with --gathered predicted outside LAMMPS. Stretches with
sampling alternate with as many steps in one go, so that a change of the machine's speed touches both; the
overhead is the median over these pairs. What stopping LAMMPS for samples costs is part of it.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from mpi4py import MPI

from lpsnmr.efg import EfgModel
from lpsnmr.md import MdSettings, PotentialSettings
from lpsnmr.md.commands import pair_commands, stage_commands, system_commands, velocity_command
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.md.local_samples import COMPUTE, FIX, LocalSamples
from lpsnmr.md.schedule import equilibration_and_production
from lpsnmr.runs.feeds import Feed, GatheringFeed, LocalFeed
from lpsnmr.runs.prepare import potential_path
from lpsnmr.runs.recipe import model_path
from lpsnmr.sampling import JumpSettings, SamplingSettings
from lpsnmr.sampling.sampler import Sampler
from lpsnmr.structures import load_structure, supercell
from lpsnmr.trajectory.data_file import write_data_file

ELEMENTS = ["Li", "P", "S"]
TIMESTEP_PS = 0.002


def start(folder: Path) -> LammpsDriver:
    """Set up the MD."""
    write_data_file(folder / "beta.data", supercell(load_structure("beta-Li3PS4"), (1, 2, 2)))
    settings = MdSettings(temperature_k=600.0)
    pair = pair_commands(PotentialSettings(), potential_path("default"), ELEMENTS)
    driver = LammpsDriver()
    driver.commands(system_commands(settings, folder / "beta.data", pair, restart=False))
    schedule = equilibration_and_production(settings, 1.0)
    driver.commands(
        [velocity_command(settings.temperature_k, settings.seed), *stage_commands(schedule, 1, 0)]
    )
    driver.define_types(ELEMENTS)
    driver.advance(0)
    return driver


class Sampled:
    """The MD with everything that is sampled."""

    def __init__(self, driver: LammpsDriver, options: argparse.Namespace) -> None:
        self.driver, self.interval = driver, options.interval
        self.gathered = options.gathered
        frame = driver.frame()
        self.sampler = Sampler(
            EfgModel.default(), frame.ids, frame.numbers,
            sample_interval_ps=options.interval * TIMESTEP_PS, interval_steps=options.interval,
            nmr=None if options.plain else SamplingSettings(),
            jumps=None if options.plain or options.no_jumps else JumpSettings(),
        )  # fmt: skip
        self.sampler.start_motion(frame)

    def start(self) -> None:
        """Let samples be taken from here on; steps since the last one are taken as none."""
        self.sampler._last_step = -1
        self.feed: Feed = GatheringFeed(self.driver, self.sampler)
        if not self.gathered:
            samples = LocalSamples(
                self.driver, model_path("default"), ELEMENTS,
                interval_steps=self.interval, first_step=self.driver.step,
            )  # fmt: skip
            self.feed = LocalFeed(samples, self.sampler, MPI.COMM_WORLD, ELEMENTS)

    def stop(self) -> None:
        """Leave LAMMPS as it is without sampling."""
        self.driver.remove("fix", FIX)
        self.driver.remove("compute", COMPUTE)
        self.driver.advance(0)

    def run(self, samples: int) -> None:
        """Advance with sampling."""
        while samples > 0:
            samples -= self.feed.advance(samples)


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interval", type=int, default=50, help="MD steps per sample")
    parser.add_argument("--samples", type=int, default=100, help="samples per repeat")
    parser.add_argument("--warm-up", type=int, default=550, help="samples before; sites are learnt after 500")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--plain", action="store_true", help="no echoes, spectra and jumps")
    parser.add_argument("--no-jumps", action="store_true", help="no detectors of jumps and rotations")
    parser.add_argument("--gathered", action="store_true", help="predict outside LAMMPS")
    options = parser.parse_args()
    clock = time.process_time
    with tempfile.TemporaryDirectory() as folder:
        driver = start(Path(folder))
        sampled = Sampled(driver, options)
        sampled.start()
        sampled.run(options.warm_up)
        plain, added = [], []
        for _ in range(options.repeats):
            sampled.stop()
            begin = clock()
            driver.advance(options.interval * options.samples)
            plain.append(clock() - begin)
            sampled.start()
            begin = clock()
            sampled.run(options.samples)
            added.append(clock() - begin - plain[-1])
        atoms = driver.n_atoms
        driver.close()
    steps = options.samples * options.interval
    ratios = [100.0 * more / md for more, md in zip(added, plain, strict=True)]
    result = {
        "atoms": atoms,
        "where": "gathered" if options.gathered else "in LAMMPS",
        "sampled": "tensors, MSD"
        + (", echoes, spectra" if not options.plain else "")
        + (", jumps, rotations" if not (options.plain or options.no_jumps) else ""),
        "md_us_per_step": round(statistics.median(plain) / steps * 1e6, 1),
        "sampling_us_per_sample": round(statistics.median(added) / options.samples * 1e6, 1),
        "overhead_percent": round(statistics.median(ratios), 2),
        "overhead_percent_range": [round(min(ratios), 2), round(max(ratios), 2)],
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
