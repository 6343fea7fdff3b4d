#!/bin/sh
# Makes the shipped Li-P-S potential from the shipped reference data (about a minute on one core):
#   sh examples/inputs/fit_lps.sh [NAME.uf3 [DATA.extxyz ...]]
# V3 stands where density terms do not do its work: inside PS4 and where Li meets a P-S bond. Melts weigh less,
# for they ask more of the form than it has. See docs/howto/fit-ufp.md.
# Fitted to PBE + the learned difference to PBEsol, whose cells are those of experiment; the sibling fitted to plain PBE:
#   LABELS=pbe sh examples/inputs/fit_lps.sh lps_pbe.uf3
# (LABELS may be another sum too, docs/howto/fit-ufp.md.)
# DENSITY=no makes the two- and three-body potential of the form of lps_23body.uf3 instead, of plain PBE.
set -eu
models=$(python -c "import pathlib, lpsnmr.data as d; print(pathlib.Path(d.__path__[0]) / 'models')")
target=${1:-$models/lps.uf3}
[ $# -gt 0 ] && shift
if [ $# -eq 0 ]; then
  reference=$(python -c "from lpsnmr.data import shipped_reference; print(*shipped_reference(), sep='\n')")
  IFS='
'
  set -- $reference
fi
if [ "${DENSITY:-yes}" = no ]; then
  labels=${LABELS:-pbe}
  set -- "$@" --triple S-P-S=3.0,5.0 --triple S-Li-P=4.0,3.0 --triple S-Li-S=3.5,4.0 --triple S-P-P=3.5,3.5
else
  labels=${LABELS:-pbe+topbesol}
  set -- "$@" --energy-error 0.7 --prior-density 0.02 \
    --weigh '*1800*=0.2' --weigh '*2500=0.2' --weigh '*quench*=0.2' --weigh '*melt*=0.2' --weigh 'ufp_hot*=0.2' \
    --triple S-Li-P=4.0,3.0 --triple S-Li-Li=0,0 --triple S-Li-S=0,0 --triple S-P-P=0,0 --triple S-P-S=0,0 \
    --density 'S=34:P,6,3,2,1.7;Li,6,3,2,1.9;S,6,3,2,2.4' --density 'P=4:S,6,3,1,1.7;Li,6,3,1,2.2'
fi
exec lpsnmr fit-ufp "$@" -o "$target" \
  --elements "Li P S" --two-body-cutoff 5.0 --three-body-cutoff 4.0 \
  --triple Li-Li=0 --triple Li-P=0 --triple Li-S=0 --triple P-Li=0 --triple P-P=0 --triple S-S-S=0,0 \
  --prior-3b-ridge 0.5 --prior-3b-curvature 0.3 --folds 5 --steps-per-block 400 --labels "$labels"
