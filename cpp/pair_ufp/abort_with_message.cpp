#include "abort_with_message.h"

#include "comm.h"
#include "error.h"
#include "lammps.h"

#include <chrono>
#include <cstdio>
#include <thread>

namespace LAMMPS_NS {

void abort_with_message(LAMMPS *lmp, const std::string &file, int line,
                        const std::string &message) {
  if (lmp->comm->nprocs > 1) {
    std::fprintf(stderr, "rank %d: %s\n", lmp->comm->me, message.c_str());
    std::fflush(stderr);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  lmp->error->one(file, line, message);
}

} // namespace LAMMPS_NS
