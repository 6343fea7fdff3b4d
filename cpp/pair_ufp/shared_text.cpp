#include "shared_text.h"

#include "core/text/read_text.h"

#include "comm.h"
#include "lammps.h"
#include "utils.h"

#include <dlfcn.h>

#include <exception>
#include <fstream>

namespace LAMMPS_NS {

namespace {

/// Path of a model that comes with the package, by its bare name; empty without such a one. The
/// plugin lies in PACKAGE/lib, the models in PACKAGE/data/models.
std::string shipped_model(const std::string &name) {
  Dl_info info;
  if (name.find('/') != std::string::npos ||
      !dladdr(reinterpret_cast<void *>(&shipped_model), &info) || info.dli_fname == nullptr)
    return "";
  std::string package = info.dli_fname; // as it was loaded: lib may be a link to elsewhere
  for (int up = 0; up < 2; ++up) {
    const std::size_t slash = package.rfind('/');
    if (slash == std::string::npos) return "";
    package.resize(slash);
  }
  const std::string path = package + "/data/models/" + name;
  return std::ifstream(path).good() ? path : "";
}

} // namespace

std::string read_text_everywhere(LAMMPS *lmp, const std::string &path, const char *kind,
                                 std::string &text) {
  std::string message;
  if (lmp->comm->me == 0) {
    std::string found = utils::get_potential_file_path(path);
    if (found.empty()) {
      found = shipped_model(path);
      if (!found.empty())
        utils::logmesg(lmp, "{} {}: the one that comes with lpsnmr, {}\n", kind, path, found);
    }
    try {
      text = lpsnmr::text::read_text(found.empty() ? path : found, kind);
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

std::string printable(const std::string &message) {
  std::string out;
  for (std::size_t at = 0; at < message.size();) {
    const auto byte = static_cast<unsigned char>(message[at]);
    std::size_t length = byte < 0x80                    ? 1
                         : byte >= 0xc2 && byte <= 0xdf ? 2
                         : byte >= 0xe1 && byte <= 0xec ? 3 // leaves out rare and forbidden planes
                                                        : 0;
    bool good = length > 0 && at + length <= message.size() && byte >= 0x20 && byte != 0x7f;
    for (std::size_t n = 1; good && n < length; ++n)
      good = (static_cast<unsigned char>(message[at + n]) & 0xc0) == 0x80;
    if (!good) length = 1;
    out += good ? message.substr(at, length) : "?";
    at += length;
  }
  return out;
}

bool failed_anywhere(LAMMPS *lmp, bool failed) {
  int here = failed, anywhere = 0;
  MPI_Allreduce(&here, &anywhere, 1, MPI_INT, MPI_MAX, lmp->world);
  return anywhere != 0;
}

} // namespace LAMMPS_NS
