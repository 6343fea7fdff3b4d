#!/bin/sh
# β-Li3PS4 at four temperatures, from the crystal to τ, γ, Γ_NMR, Γ_jump, D and their Arrhenius lines:
#   sh examples/inputs/arrhenius.sh FOLDER
# Stopped or killed, the same command resumes: what is finished is not run again. The results are
# FOLDER/*K/results.h5 (some MB each) and FOLDER/analysis. Other temperatures and lengths, or ranks:
#   RUNS="600:1000 800:500" RANKS=2 sh examples/inputs/arrhenius.sh FOLDER        (kelvin:picoseconds)
# Further arguments go to `lpsnmr run`, such as --set potential.file=my.uf3.
set -eu
folder=${1:?give the folder of the results}
shift
inputs=$(cd "$(dirname "$0")" && pwd)
RUNS=${RUNS:-550:7000 600:5000 650:4000 700:4000}
launch=
[ "${RANKS:-1}" -gt 1 ] && launch="mpirun -np $RANKS"
mkdir -p "$folder"
for run in $RUNS; do
  $launch lpsnmr run "$inputs/arrhenius.toml" --no-analysis --set "md.temperature_k=${run%:*}" \
    --set "md.production_ps=${run#*:}" --set "output.folder=$folder/${run%:*}K" "$@"
done
set --
for run in $RUNS; do set -- "$@" "$folder/${run%:*}K/results.h5"; done
exec lpsnmr analyze "$@" -o "$folder/analysis"
