#include "shared_text.h"

#include "core/potential_file.h"

#include "comm.h"
#include "lammps.h"
#include "utils.h"

#include <exception>

namespace LAMMPS_NS {

std::string read_text_everywhere(LAMMPS *lmp, const std::string &path, const char *kind,
                                 std::string &text) {
  std::string message;
  if (lmp->comm->me == 0) {
    const std::string found = utils::get_potential_file_path(path);
    try {
      text = lpsnmr::read_text(found.empty() ? path : found, kind);
    } catch (const std::exception &problem) {
      message = problem.what();
    }
  }
  const auto broadcast = [lmp](std::string &value) {
    int length = static_cast<int>(value.size());
    MPI_Bcast(&length, 1, MPI_INT, 0, lmp->world);
    value.resize(length);
    if (length > 0) MPI_Bcast(&value[0], length, MPI_CHAR, 0, lmp->world);
  };
  broadcast(message);
  if (message.empty()) broadcast(text);
  return message;
}

bool failed_anywhere(LAMMPS *lmp, bool failed) {
  int here = failed, anywhere = 0;
  MPI_Allreduce(&here, &anywhere, 1, MPI_INT, MPI_MAX, lmp->world);
  return anywhere != 0;
}

} // namespace LAMMPS_NS
