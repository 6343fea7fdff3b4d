"""The parts of a data card that are not counted from the frames."""

__all__ = ["CONTENTS", "DISPERSION_HEAD", "HEAD", "METHOD", "OTHER_FUNCTIONAL", "STEPS", "STRUCTURES"]

HEAD = """# Data card: `{name}`

Li₃PS₄ cells with density-functional energies, forces, stresses and the electric field gradient at every
nucleus. Made for fitting the ultra-fast potential and the ⁷Li EFG model of lpsnmr. This card is written by
`lpsnmr merge-labels`; its numbers are counted from the file.
"""

CONTENTS = """## Contents
Extended XYZ. Header: `Lattice`, `pbc`, `energy` (eV, total, not per atom; no reference energy subtracted),
`stress` (eV/Å³, ASE's sign, nine numbers), `run`, `run_step`, `run_T` (K), `kpts`, `scf_iterations`; newer
frames also `made` (how the structure came about) and `label`, `label_id` (engine and hash of the recipe).
Columns: species, position (Å), `efg` (nine numbers, row-major, atomic units, V_ab = ∂²φ/∂x_a∂x_b: a positive
charge on the z axis gives V_zz > 0), forces (eV/Å). 1 a.u. of EFG is 97.17362 V/Å².
"""

STRUCTURES = """## How the structures were made
All but the packings start from the published β (Pnma, one ordered choice of the partly filled Li sites) and
γ (Pmn2₁) crystals. `made` says how each newer frame came about.
- Runs without a prefix: molecular dynamics with the universal machine-learned potential SevenNet-0, cells
  relaxed with it and strained by up to 3 %. Its energies and forces are not here: it proposed structures.
- Runs `ufp_…`: dynamics at 2 fs with this project's own potential of that time, frames chosen by the
  information they add to the fit (`lpsnmr learn`). `v+3` and the like: volume strain in per cent; `shear`: a
  general strain; `lidis`: Li moved to other voids first; `am32`: the end of a quench, held at a temperature;
  `am32p`: whole PS4 units and Li packed at random without overlap, then held at one.
- Runs `ufp_melt_p32…` and `ufp_p32…quench`: such packings, at 1 fs and 1300 to 2200 K or cooled from 2000 K.
- Runs `ufp_hot_…`: dynamics at 1 fs and 1700 to 2200 K, or cooled from there, until the potential of that
  time let S cluster; frames of before and while it did, chosen the same way. They tell a fit what that costs.
- Runs `eos_…`: no dynamics; the crystal relaxed with this project's potential, its cell scaled, positions
  relaxed again in each; `run_step` numbers the volumes, `run_T` is 0.
"""

METHOD = """## How they were labelled
`lpsnmr label` (GPAW 22.8): PBE, plane waves to 18 Ha (490 eV), k-point counts ceil(11 Å / length) along each
axis, Fermi–Dirac smearing 0.01 eV. Grids of more than one point avoid Γ: an axis with an odd count is shifted
by half a step, so 1x2x2 is (½, ±¼, ±¼). P and S: the stock projector-augmented-wave datasets. Li: a dataset
with 1s in the valence and extra d projectors; the stock one freezes 1s and gives gradients about 30 % too
large. The tensor is the Hessian of the smooth potential in reciprocal space plus the on-site l = 2 correction
(all-electron minus pseudo, without the atom's own compensation charge; doi:10.1103/PhysRevB.57.14690).
Frames without `label_id` come from an earlier script of the same recipe; the one labelled again with
`lpsnmr label` has the same forces and tensors to 1e-8 and the same energy to 1e-11 eV.

## How good the labels are
- In the 32-atom crystal, relative r.m.s. of the tensors: 18 → 25 Ha 4 % (1.7 % of it systematic). Γ alone
  would be 15 % off. About 5 % is left in all. An EFG model cannot be shown to be better than that here.
- Isolated molecules, V_zz at Li by this recipe (18 Ha), with 30 Ha, and all-electron PBE in Gaussian
  functions (a.u.): LiH −0.0381, −0.0411, −0.0378; LiF −0.0459, −0.0473, −0.0456; LiSH −0.0305, –, −0.0276.
  Gradients at Li may so be up to about 10 % too large in size, for a reason not known. This is not corrected.
- 18 → 25 Ha moves the stress by +0.13 GPa, isotropically.
"""

OTHER_FUNCTIONAL = """## Another functional: {functional}
These frames are labelled with {functional} where the text below says PBE, and all datasets were made with
{functional} (P and S by `gpaw-setup -f {functional}`, as the stock ones were; Li as below); the header says
`functional={functional}`. They are structures of the PBE sets, so that the two can be subtracted, and for
nothing else: `merge-labels` does not mix functionals, and `fit-ufp` wants them named (`--labels {labels}`).
"""

DISPERSION_HEAD = """## Dispersion corrections
In parts of their own, nowhere added to the labels above (`lpsnmr add-dispersion`): NAME_energy (eV),
NAME_stress (eV/Å³, nine numbers, ASE's sign) and NAME_label in the header, the columns NAME_forces (eV/Å).
`fit-ufp --labels pbe+NAME` fits the sum.
"""

STEPS = """The steep ones are steps of D4, seen at Li: its C6 go from those of one reference system to those
of the next where a coordination number passes a value between theirs. One Li of `b32_900`, step 800, moved
by 0.1 Å gives 77 meV that way; D3(BJ) changes by less than 1 meV there. A fit makes a slope of them.
"""
