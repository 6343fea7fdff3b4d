"""Compare force errors of the UFP with those of a universal potential fine-tuned to the same frames.

    python benchmarks/peers/compare_sevennet.py OUT --sevennet PYTHON [--epochs 12] [--model CHECKPOINT]

PYTHON has `sevenn` and `torch` from PyPI. Of the first three reference files every fourth block of 400
steps is held out, of hot cells (1800 K and above, quenches) and of all others apart; of the others a third
is used, for the time that an epoch takes (two to four minutes on one core). The UFP is fitted to the
training frames with the settings of the shipped one; SevenNet-0 is fine-tuned to their energies and forces.
Errors in % of the force RMS of the held-out frames. With --model nothing is trained. Files and
`errors.json` go into the folder OUT.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import ase.io
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

HOT = ("1800", "2200", "2500", "quench")
SHARE, SHARE_HELD_OUT = 0.35, 0.3
PRETRAINED = "7net-0"
SETTINGS = """model:
    chemical_species: 'Auto'
    cutoff: 5.0
    channel: 128
    is_parity: False
    lmax: 2
    num_convolution_layer: 5
    irreps_manual: [128x0e, {inner}, {inner}, {inner}, {inner}, 128x0e]
    weight_nn_hidden_neurons: [64, 64]
    radial_basis: {{radial_basis_name: bessel, bessel_basis_num: 8}}
    cutoff_function: {{cutoff_function_name: XPLOR, cutoff_on: 4.5}}
    self_connection_type: linear
    train_shift_scale: False
    train_denominator: False
train:
    random_seed: 1
    is_train_stress: False
    epoch: {epochs}
    loss: Huber
    loss_param: {{delta: 0.01}}
    optimizer: adam
    optim_param: {{lr: 0.002}}
    scheduler: exponentiallr
    scheduler_param: {{gamma: 0.88}}
    force_loss_weight: 1.0
    per_epoch: {epochs}
    error_record: [[Energy, RMSE], [Force, RMSE], [TotalLoss, None]]
    continue: {{reset_optimizer: True, reset_scheduler: True, reset_epoch: True,
                checkpoint: SevenNet-0_11July2024}}
data:
    batch_size: 3
    data_format_args: {{index: ':'}}
    load_trainset_path: [{train}]
    load_validset_path: [{test}]
"""


def is_hot(run: str) -> bool:
    """Tell whether a run is one of the hottest."""
    return any(word in run for word in HOT)


def split(frames: list) -> tuple[list, list]:
    """Return the training and the held-out frames."""
    blocks = defaultdict(list)
    for frame in frames:
        blocks[frame.info["run"], int(frame.info["run_step"]) // 400].append(frame)
    rng = np.random.default_rng(0)
    count: dict[bool, int] = defaultdict(int)
    train, test = [], []
    for run, number in sorted(blocks):
        hot = is_hot(run)
        (test if count[hot] % 4 == 1 else train).extend(blocks[run, number])
        count[hot] += 1
    always = [is_hot(f.info["run"]) or "1200" in f.info["run"] or "am" in f.info["run"] for f in train]
    train = [f for f, a in zip(train, always, strict=True) if a or rng.random() < SHARE]
    return train, [f for f in test if is_hot(f.info["run"]) or rng.random() < SHARE_HELD_OUT]


def bare(frame, offset: float):
    """Return a frame with energy (shifted per atom, eV) and forces alone."""
    out = ase.Atoms(frame.numbers, frame.positions, cell=frame.cell, pbc=frame.pbc)
    out.info = {"run": frame.info["run"], "run_step": int(frame.info["run_step"])}
    energy = frame.get_potential_energy() + offset * len(frame)
    out.calc = SinglePointCalculator(out, energy=energy, forces=frame.get_forces())
    return out


def predict(model: str, path: str, target: str) -> None:
    """Write energies per atom and forces of a SevenNet model for the frames of a file; runs under PYTHON."""
    from sevenn.calculator import SevenNetCalculator

    calculator = SevenNetCalculator(model, device="cpu")
    energies, forces = [], []
    for frame in ase.io.read(path, ":"):
        frame.calc = calculator
        energies.append(frame.get_potential_energy() / len(frame))
        forces.append(frame.get_forces())
    np.savez(target, energies=energies, forces=np.stack(forces))


def run_predict(python: str, model: str, path: Path, target: Path) -> dict:
    """Call predict() under another interpreter."""
    words = [python, __file__, "--predict", model, path, target]
    subprocess.run([str(w) for w in words], check=True)
    return dict(np.load(target))


def fine_tune(folder: Path, python: str, epochs: int) -> Path:
    """Train; return the checkpoint."""
    place = folder / "sevennet"
    place.mkdir(exist_ok=True)
    files = {name: (folder / f"{name}.extxyz").resolve() for name in ("train", "test")}
    inner = "128x0e+64x1e+32x2e"
    (place / "input.yaml").write_text(SETTINGS.format(epochs=epochs, inner=inner, **files))
    sevenn = Path(python).absolute().parent / "sevenn"
    subprocess.run([str(sevenn), "train", "input.yaml", "-s"], cwd=place, check=True)
    return place / f"checkpoint_{epochs}.pth"


def group(run: str) -> str:
    """Return the row of the table that a run belongs to."""
    if "hot" in run:
        return "clustering"
    if run in ("b32_1800", "b32_2500", "b32_quench"):
        return run
    return "own melts and quenches" if is_hot(run) else "others"


def errors(frames: list, forces) -> dict[str, dict[str, float]]:
    """Return errors by group."""
    rows: dict[str, list] = defaultdict(list)
    for frame, own in zip(frames, forces, strict=True):
        rows[group(frame.info["run"])].append((np.asarray(own), frame.get_forces()))
    out = {}
    for name, pairs in sorted(rows.items()):
        ours, theirs = (np.concatenate(p) for p in zip(*pairs, strict=True))
        size = float(np.sqrt(np.mean(theirs**2)))
        rmse = float(np.sqrt(np.mean((ours - theirs) ** 2)))
        out[name] = {"frames": len(pairs), "rmse": round(rmse, 3), "percent": round(100 * rmse / size, 1)}
    return out


def fit_own(train: list, test: list, target: Path) -> list:
    """Fit the shipped form to the training frames; return its forces on the others."""
    from lpsnmr.active_learning import settings_of_potential
    from lpsnmr.potential import DataSet, Ufp, fit_ufp, save_fit

    models = Path(importlib.util.find_spec("lpsnmr").origin).parent / "data" / "models"
    settings, data = settings_of_potential(models / "lps_pbe.uf3"), [DataSet(train)]
    save_fit(target, fit_ufp(data, settings), settings, data, [[]], extrapolation=False)
    return [Ufp(target).predict(f).forces for f in test]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--sevennet", required=True, metavar="PYTHON")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--model", type=Path, help="a checkpoint that was fine-tuned before")
    return parser.parse_args()


def main() -> None:
    """Compare."""
    if sys.argv[1:2] == ["--predict"]:
        predict(*sys.argv[2:])
        return
    from lpsnmr.data import shipped_reference
    from lpsnmr.reference import read_reference

    args = arguments()
    args.out.mkdir(exist_ok=True)
    frames = read_reference(shipped_reference()[:3], require=("energy", "forces"))
    train, test = split(frames)
    calm = [f for f in train if not is_hot(f.info["run"])]
    ase.io.write(args.out / "calm.extxyz", [bare(f, 0.0) for f in calm[:8]])
    known = run_predict(args.sevennet, PRETRAINED, args.out / "calm.extxyz", args.out / "calm.npz")
    offset = float(np.mean(known["energies"] - [f.get_potential_energy() / len(f) for f in calm[:8]]))
    for name, chosen in (("train", train), ("test", test)):
        ase.io.write(args.out / f"{name}.extxyz", [bare(f, offset) for f in chosen])
    model = args.model or fine_tune(args.out, args.sevennet, args.epochs)
    result = {"frames fitted": len(train), "ufp": errors(test, fit_own(train, test, args.out / "ufp.uf3"))}
    for name, which in (("SevenNet-0", PRETRAINED), ("SevenNet-0, fine-tuned", str(model))):
        found = run_predict(args.sevennet, which, args.out / "test.extxyz", args.out / "test.npz")
        result[name] = errors(test, found["forces"])
    text = json.dumps(result, indent=1)
    (args.out / "errors.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
