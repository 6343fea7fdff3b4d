# Made checkpoint.tar.xz and expected.npz, with lpsnmr before runs and streams shared their session.
# Run in this folder with that version; a later one must go on from its checkpoint.
set -e
lpsnmr run run.toml --no-analysis --set md.production_ps=0.2
tar --owner=0 --group=0 -cJf checkpoint.tar.xz -C out checkpoint.h5 restart.150.lmp
lpsnmr run run.toml --no-analysis
python - <<'END'
import numpy as np
from lpsnmr.results.results import Results

r = Results.read("out/results.h5")
np.savez_compressed(
    "expected.npz",
    efg=r.efg_correlation.values,
    efg_counts=r.efg_correlation.counts,
    msd=r.displacement.values,
    mean=r.efg_mean,
    mean_square=r.efg_mean_square,
    temperature=r.mean_temperature_k,
    windows=r.extra["jumps_displacement"]["windows"],
)
END
rm -r out
