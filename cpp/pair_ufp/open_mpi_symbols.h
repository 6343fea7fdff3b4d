// Put before every file of the plugin when it is built for Open MPI, whose predefined handles are
// addresses of data. Weak, so that the plugin can be loaded into a LAMMPS with another MPI too, and
// there say why it refuses.
#pragma once

#pragma weak ompi_mpi_comm_world
#pragma weak ompi_mpi_comm_null
#pragma weak ompi_mpi_char
#pragma weak ompi_mpi_byte
#pragma weak ompi_mpi_int
#pragma weak ompi_mpi_double
#pragma weak ompi_mpi_int64_t
#pragma weak ompi_mpi_long_long_int
#pragma weak ompi_mpi_unsigned
#pragma weak ompi_mpi_unsigned_long
#pragma weak ompi_mpi_op_sum
#pragma weak ompi_mpi_op_max
#pragma weak ompi_mpi_op_min
#pragma weak ompi_mpi_op_land
#pragma weak ompi_mpi_op_lor
