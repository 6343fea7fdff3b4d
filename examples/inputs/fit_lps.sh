#!/bin/sh
# Makes the shipped Li-P-S potential from the shipped reference data (about a minute on one core):
#   sh examples/inputs/fit_lps.sh [NAME.uf3 [DATA.extxyz ...]]
# V3 stands where it pays: around S, and S-P-S inside PS4. See docs/fit-ufp.md.
# DENSITY=yes adds density terms (NAME.ufd), and melts and quench then weigh a tenth.
set -eu
data=$(python -c "import pathlib, lpsnmr.data as d; print(pathlib.Path(d.__path__[0]))")
mkdir -p "$data/models"
target=${1:-$data/models/lps.uf3}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- "$data/reference/lps_gpaw_pbe.extxyz"
if [ "${DENSITY:-no}" = yes ]; then
  set -- "$@" --weigh '*1800=0.1' --weigh '*2500=0.1' --weigh '*quench=0.1' \
    --density 'S=34:P,5,2,2,1.7;Li,5,2,2,1.9;S,5,2,2,2.4' --density 'P=4:S,5,3,1,1.7;Li,5,2,1,2.2'
fi
exec lpsnmr fit-ufp "$@" -o "$target" \
  --elements "Li P S" --two-body-cutoff 5.0 --three-body-cutoff 4.0 \
  --triple Li-Li=0 --triple Li-P=0 --triple Li-S=0 --triple P-Li=0 --triple P-P=0 \
  --triple S-P-S=3.0,5.0 --triple S-Li-P=4.0,3.0 --triple S-Li-S=3.5,4.0 --triple S-P-P=3.5,3.5 --triple S-S-S=0,0 \
  --prior-3b-ridge 0.5 --prior-3b-curvature 0.3 --folds 5 --steps-per-block 400
